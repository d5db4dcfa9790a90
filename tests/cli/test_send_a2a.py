"""`chatforge send` against a real A2A server, made with the official SDK: what arrived is what the server says it sent."""

import signal

import pytest

from tests.servers.a2a_process import run_a2a_server

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module", params=["0.3", "1.0"])
def server(request, tmp_path_factory):
    with run_a2a_server(request.param, tmp_path_factory.mktemp("a2a") / "server.log") as running:
        yield running


def test_the_answer_is_what_the_server_sent_to_the_byte(server, program):
    done = program.run("send", "--endpoint", server.url, "--protocol", "a2a", "stream 60 tokens")
    assert (done.code, done.err) == (0, "")
    [session] = program.run("sessions", "--json").json
    shown = program.run("show", session["id"], "--json").json
    [turn] = shown["turns"]
    assert done.out == turn["answer"] == server.answer(turn["task_id"])
    assert shown["session"]["context_id"] == server.log("request", task=turn["task_id"])[0]["context"]


def test_a_final_result_that_repeats_the_stream_is_written_once(server, program):
    done = program.run("send", "--endpoint", server.url, "--protocol", "a2a", "stream 20 tokens with a final")
    assert (done.code, done.err) == (0, "")
    [session] = program.run("sessions", "--json").json
    [turn] = program.run("show", session["id"], "--json").json["turns"]
    assert done.out == turn["answer"]


def test_a_plan_and_tools_are_in_the_events_and_in_the_store(server, program):
    lines = program.run("send", "--endpoint", server.url, "--protocol", "a2a", "--json", "plan").lines
    plans = [line["steps"] for line in lines if line["event"] == "plan"]
    assert plans
    assert [plan["steps"] for plan in lines[-1]["plans"]] == plans


def test_files_are_told_beside_the_answer(server, program):
    done = program.run("send", "--endpoint", server.url, "--protocol", "a2a", "files")
    assert (done.code, done.out) == (0, "Two files.")
    assert done.err.splitlines() == [
        "The agent offers the file report.txt: /save in the UI keeps it.",
        "The agent offers the file x.pdf at https://files.example/x.pdf: /save in the UI keeps it.",
    ]


def test_a_question_is_answered_by_the_next_send_in_its_task(server, program):
    asked = program.run("send", "--endpoint", server.url, "--protocol", "a2a", "ask")
    assert asked.code == 8
    [session] = program.run("sessions", "--json").json
    answered = program.run("send", "--session", session["id"][:18], "blue")
    assert answered.code == 0
    turns = program.run("show", session["id"], "--json").json["turns"]
    assert server.log("request", task=turns[0]["task_id"])[-1]["names_task"] == turns[0]["task_id"]


async def test_ctrl_c_tells_the_agent_and_keeps_the_text(server, program):
    process = await program.start("send", "--endpoint", server.url, "--protocol", "a2a", "slow")
    received = await process.stdout.readexactly(10)
    process.send_signal(signal.SIGINT)
    rest, err = await process.communicate()
    assert (process.returncode, err) == (130, b"")
    [session] = (await program.run_beside("sessions", "--json")).json
    [turn] = (await program.run_beside("show", session["id"], "--json")).json["turns"]
    assert turn["state"] == "aborted"
    assert (received + rest).decode() == turn["answer"]
    assert server.wait_for("cancel", task=turn["task_id"])
