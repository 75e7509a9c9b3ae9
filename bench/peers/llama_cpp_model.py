"""llama.cpp as a long-lived process: greedy continuations of one prompt at a time, weights and cache in f32."""

import time

import llama_cpp
import serve


def main():
    options = serve.receive()
    model = llama_cpp.Llama(options["gguf"], n_ctx=options["context"], n_threads=options["threads"],
                            n_threads_batch=options["threads"], type_k=llama_cpp.GGML_TYPE_F32,
                            type_v=llama_cpp.GGML_TYPE_F32, verbose=False)
    serve.answer({"version": llama_cpp.__version__})
    while (request := serve.receive()) is not None:
        model.reset()
        start, ids = time.perf_counter(), []
        for token in model.generate(request["prompt"], temp=0.0, top_k=1, repeat_penalty=1.0):
            ids.append(int(token))
            if len(ids) == request["new"]:
                break
        serve.answer({"seconds": time.perf_counter() - start, "ids": ids})


if __name__ == "__main__":
    main()
