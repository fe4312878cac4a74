"""What a browser makes of a page, as far as tests ask: nesting, elements, and where it would fetch from."""

from html.parser import HTMLParser

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Outline(HTMLParser):
    """Checks that tags nest, and collects elements and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        self.text += data

    def links(self) -> list[str]:
        """Where the page leads."""
        return [attributes["href"] or "" for tag, attributes in self.tags if tag == "a"]

    def is_whole_and_fetches_nothing(self) -> bool:
        """Every element closed, no script but ours, and nothing that a browser would ask another host for."""
        fetching = {"link", "img", "iframe", "object", "embed"}
        handlers = [name for _, attributes in self.tags for name in attributes if name.startswith("on")]
        scripts = [attributes.get("src") for tag, attributes in self.tags if tag == "script"]
        asked = [
            attributes.get(name) or ""
            for tag, attributes in self.tags if tag == "form" for name in ("action", "data-address", "data-runs")
        ]  # fmt: skip
        own = {"/under/regsosek/script.js"}.issuperset(scripts) and all(
            not each or each.startswith("/under/") for each in asked
        )
        return not self.open and own and not handlers and not fetching & {tag for tag, _ in self.tags}
