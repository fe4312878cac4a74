"""The words of messages: each sentence, name and number, in the language of the reader."""
