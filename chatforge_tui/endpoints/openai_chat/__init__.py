"""OpenAI's chat completions, as OpenAI, Azure, Ollama, llama.cpp, vLLM, LM Studio, LiteLLM, OpenRouter speak them."""
