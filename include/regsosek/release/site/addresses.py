"""Where the pages of the site lie, seen from one of them: every link is relative, so that a folder can be moved."""

from dataclasses import dataclass

from regsosek.release.site.atlas import Row
from regsosek.wording import Language as Code

NATION_PAGE = "index.html"
PAGE_LEVELS = ("nasional", "provinsi", "kabkota")


def page_path(row: Row) -> str:
    """The page of a region, in the folder of its language."""
    return NATION_PAGE if row["level"] == "nasional" else f"{row['level']}/{row['code']}.html"


def in_language(path: str, code: Code) -> str:
    """The path of a page from the root of the release."""
    return path if code == "id" else f"{code}/{path}"


@dataclass(frozen=True)
class Address:
    """The place of one page; ``served`` is where the pages of the newest release are, if anywhere."""

    path: str
    code: Code
    served: str | None = None

    @property
    def full(self) -> str:
        """Its name among the files of the release."""
        return in_language(self.path, self.code)

    @property
    def served_at(self) -> str:
        """Where it is served, for whoever passes a link on; empty where it is not."""
        return f"{self.served.rstrip('/')}/{self.full}" if self.served else ""

    @property
    def root(self) -> str:
        """The way up to the root of the release: empty, or ``../`` once or twice."""
        return "../" * self.full.count("/")

    def to(self, path: str) -> str:
        """The way to another page of the same language."""
        return self.root + in_language(path, self.code)

    def translated(self, code: Code) -> str:
        """The way to this page in another language."""
        return self.root + in_language(self.path, code)
