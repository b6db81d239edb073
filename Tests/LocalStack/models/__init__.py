"""Two chat models behind OpenAI's interface: an extractive one to use, a scripted one to test with."""
