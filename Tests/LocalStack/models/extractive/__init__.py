"""A chat model that invents nothing: it answers with sentences of the sources in its prompt.

The prompt's last user message holds numbered sources and the question:

    <source id="1" title="Tariffs">
    …
    </source>
    Question: …

`<sources/>` stands where retrieval found nothing. The sentences nearest to the question, by the
embeddings server of the questions and by shared words, are streamed with ` [N]` behind them.
A prompt without sources is refused with 400: this model can write no titles, no summaries.
"""
