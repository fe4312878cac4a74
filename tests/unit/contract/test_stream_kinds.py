"""The streams as data: a line for each of them, and refusals that name the file and the fix."""

from dataclasses import replace

import pytest

from regsosek.contract.codebook import STREAMS, Block, block_lines
from regsosek.contract.instruments import instrument_of, instruments
from regsosek.contract.stream_kinds import MESSAGES, stream_kinds, stream_lines, stream_words
from regsosek.errors import ConfigurationError
from support.deliveries.edited_codebook import codebook, lines, shipped, written


def edited(stream: str, **changes: str) -> list[dict[str, str]]:
    """The lines with one of them changed."""
    return [line | changes if line["stream"] == stream else line for line in stream_lines()]


def test_every_stream_has_a_letter_of_its_own() -> None:
    letters = [kind.letter for kind in MESSAGES.values()]
    assert tuple(MESSAGES) == STREAMS
    assert len(set(letters)) == len(letters)
    assert all(len(letter) == 1 and letter.isupper() for letter in letters)


def test_a_stream_of_families_is_one_whose_messages_name_one() -> None:
    known = ("progres", "geotag", "rekap_vk")
    assert [stream for stream in known if MESSAGES[stream].of_families] == ["geotag"]
    assert [stream for stream in known if MESSAGES[stream].told_by_day] == ["progres"]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([line for line in stream_lines() if line["stream"] != "geotag"], "no line of geotag; say key, told"),
        (
            [*stream_lines(), stream_lines()[1] | {"stream": "verval"}],
            "verval is no dataset of codebook/instruments.csv",
        ),
        (edited("geotag", key="id_tanda"), "geotag has no column id_tanda; add it to codebook/variables.csv"),
        (edited("progres", told="hari"), "progres has no column hari"),
        (edited("progres", sent="jam"), "progres has no column jam"),
        (edited("geotag", letter="L"), "letter 'L' stands for progres and geotag; give each stream one capital letter"),
        (edited("geotag", letter=""), "letter '' stands for geotag; give each stream one capital letter"),
    ],
)
def test_a_line_that_fits_no_stream_is_refused_with_file_and_fix(found: list[dict[str, str]], said: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^contract/streams\.csv: ") as raised:
        stream_kinds(found)
    assert said in str(raised.value)


def test_a_grace_that_is_no_number_of_days_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"streams\.csv: rekap_vk: grace_days must be a whole number"):
        stream_words(edited("rekap_vk", grace_days="two"))


def test_a_stream_without_blocks_is_one_block_that_everybody_is_asked() -> None:
    [known] = block_lines("rekap_vk")
    titles = {each.instrument: each for each in instruments()}[instrument_of("rekap_vk")]
    blocks = [line for line in lines(shipped()["blocks.csv"]) if line["dataset"] != "rekap_vk"]
    with codebook({**shipped(), "blocks.csv": written(blocks)}):
        found: tuple[Block, ...] = block_lines("rekap_vk")
        assert found == (replace(known, title_id=titles.title_id, title_en=titles.title_en),)
