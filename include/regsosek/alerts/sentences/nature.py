"""What the figures of a message are of: real families or simulated ones, the whole operation or a part of it."""

from regsosek.alerts.sentences.texts import Words


def nature(words: Words, scale: float, *, simulated: bool) -> str:
    """As readers are told it; empty where figures are of the whole real operation."""
    told = [words.say("simulated")] if simulated else []
    told += [words.say("scale", share=words.written.share(scale))] if scale < 1 else []
    return " ".join(told)
