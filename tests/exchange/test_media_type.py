import pytest

from chatforge_tui.exchange.media_type import media_type

PNG, JPEG = b"\x89PNG\r\n\x1a\n...", b"\xff\xd8\xff\xe0..."


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("photo.png", PNG, "image/png"),
        ("photo.jpg", PNG, "image/png"),
        ("photo", JPEG, "image/jpeg"),
        ("photo.png", b"not at all", "text/plain"),
        ("photo.png", b"\x00\x01", "application/octet-stream"),
        ("clip.webp", b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        ("sound.wav", b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio/wav"),
        ("report.pdf", b"%PDF-1.7\n\xff", "application/pdf"),
        ("report.pdf", b"hello", "text/plain"),
        ("main.ts", b"const a = 1", "text/plain"),
        ("notes.MD", "größer".encode(), "text/markdown"),
        ("notes.txt", "größer".encode("latin-1"), "application/octet-stream"),
        ("data.json", b"{}", "application/json"),
        ("page.html", b"<p>", "text/html"),
        ("Makefile", b"all:\n", "text/plain"),
        ("noidea.zzz", b"\x00", "application/octet-stream"),
        ("empty", b"", "text/plain"),
        ("archive.tar.gz", b"\x1f\x8b\x00", "application/gzip"),
        ("archive.tgz", b"\x1f\x8b\x00", "application/gzip"),
        ("long.txt", b"a" * 8_191 + "é".encode(), "text/plain"),
        ("broken.txt", b"a" * 8_191 + b"\xc3", "application/octet-stream"),
        ("a:b;c.x\ny?.md", b"x", "text/markdown"),
    ],
)
def test_a_type_is_what_the_content_says_first_then_the_name(name, data, kind):
    assert media_type(name, data) == kind


def test_film_is_not_taken_for_a_program():
    assert media_type("clip.ts", b"\x47\x00\x11") != "text/plain"
