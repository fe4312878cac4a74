"""A page of the site as its tests read it: tags that nest, attributes, tables by id, text."""

from html.parser import HTMLParser

VOID = {"meta", "link", "br", "input", "img"}


class Outline(HTMLParser):
    """Checks that tags nest, and collects what the tests ask for; ``tables`` are rows of texts by id.

    ``statuses`` are what stands under the heads of rows.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.tables: dict[str, list[list[str]]] = {}
        self._rows: list[list[str]] | None = None
        self._within, self._status = "", 0
        self.statuses: list[str] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "span" and self._within and str(attributes.get("class")).startswith("word"):
            self._status = len(self.open)
            self.statuses.append("")
        if tag == "table":
            self._rows = self.tables[str(attributes.get("id"))] = []
        elif tag == "tr" and self._rows is not None:
            self._rows.append([])
        elif tag in {"td", "th"} and self._rows:
            self._rows[-1].append("")
            self._within = tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element"
        self._status = self._status if len(self.open) >= self._status else 0
        if tag in {"td", "th"}:
            self._within = ""
            if self._rows and self._rows[-1]:
                self._rows[-1][-1] = self._rows[-1][-1].rstrip(" ")

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in {"script", "button"}:
            self.text.append(data)
            if self._status:
                self.statuses[-1] += data
            elif self._within and self._rows:
                self._rows[-1][-1] += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def ids(self) -> list[str]:
        return [str(attributes["id"]) for _, attributes in self.tags if "id" in attributes]
