"""llama.cpp's real server with a small model, in a virtual environment of its own.

Run by that environment's Python as a program: `python llama_cpp_process.py MODEL.gguf`. Prints its address, then serves
until its standard input closes. It imports nothing of ChatForge.
"""

import sys

import xllamacpp


def main() -> None:
    params = xllamacpp.CommonParams()
    params.model.path = sys.argv[1]
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_ctx = 2048
    params.n_parallel = 2
    params.n_predict = 400
    params.model_alias = {"smollm2-135m"}
    params.sampling.temp = 0.0
    params.sampling.seed = 1
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
