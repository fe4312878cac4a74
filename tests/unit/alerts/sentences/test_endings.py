"""The end of a problem is told as what the page says, and as no more than that."""

from collections.abc import Callable
from datetime import date

import pytest

from regsosek.alerts.conditions.condition import Kind, Notification, Why
from regsosek.alerts.conditions.detect import shows
from regsosek.alerts.conditions.evaluation import Rules
from regsosek.alerts.conditions.province_figures import KabkotaFigures, ProvinceFigures, Waiting
from regsosek.alerts.conditions.thresholds import thresholds
from regsosek.alerts.messages.national_digest import compose_national
from regsosek.alerts.messages.platform_message import PlatformFigures
from regsosek.alerts.messages.province_digest import compose_digest
from regsosek.alerts.messages.province_stand import ProvinceStand
from regsosek.alerts.messages.rendering import Message
from regsosek.alerts.sentences.context import Context
from regsosek.geography.provinces import provinces
from support.worlds.alert_memory import told_before
from support.worlds.notified_conditions import BERAU, NIGHT, PROVINCE, told

Night = Callable[..., ProvinceFigures]
LIMITS = thresholds()
# 48 % are planned: one is on plan and 48 families short, one behind, one too small to be told of and far behind.
ON_PLAN = KabkotaFigures("6403", "Kabupaten Berau", 1200, 528, 5)
BEHIND = KabkotaFigures("6402", "Kabupaten Kutai Kartanegara", 1000, 250, 5)
SMALL = KabkotaFigures("6411", "Kabupaten Mahakam Ulu", 150, 15, 5)
GONE = told(Kind.BEHIND, PROVINCE, why=Why.RECOVERED, since=date(2022, 10, 24))


def digest(figures: ProvinceFigures, conditions: list[Notification], context: Context) -> Message:
    return compose_digest(figures, conditions, LIMITS, context)


def flat(message: Message) -> str:
    return " ".join(message.body.split())


def test_on_plan_with_families_short_is_not_resolved(night: Night, context: Context) -> None:
    short = night(visited=44_000, kabkota=(ON_PLAN, SMALL))
    message = digest(short, [GONE, told(Kind.BEHIND, BERAU, why=Why.RECOVERED)], context)
    assert message.subject == "[MEMBAIK] Kalimantan Timur, 26 Okt: tidak lagi tertinggal"
    assert (
        "YANG MEMBAIK - tidak lagi tertinggal, seluruh provinsi (tertinggal sejak 24 Okt 2022) – kini sesuai rencana; "
        "1 dari 2 kab/kota tertinggal, 1 di antaranya jauh tertinggal; masih kurang 4.000 keluarga dari rencana "
        "- tidak lagi tertinggal, 6403 Kabupaten Berau (tertinggal sejak 26 Okt 2022) – kini sesuai rencana; masih "
        "kurang 48 keluarga dari rencana"
    ) in flat(message)
    assert "TERATASI" not in message.subject + message.body and "teratasi" not in message.body


@pytest.mark.parametrize(
    ("visited", "kabkota", "word"),
    [(48_000, (), "TERATASI"), (48_000, (SMALL,), "MEMBAIK"), (47_999, (), "MEMBAIK")],
)
def test_resolved_is_only_what_has_nothing_left_of_it(
    night: Night, context: Context, visited: int, kabkota: tuple[KabkotaFigures, ...], word: str
) -> None:
    assert digest(night(visited=visited, kabkota=kabkota), [GONE], context).subject.startswith(f"[{word}]")


@pytest.mark.parametrize(("waiting", "word"), [(0, "TERATASI"), (3, "MEMBAIK")])
def test_a_kabkota_free_of_quarantine_is_not_its_province(
    night: Night, context: Context, waiting: int, word: str
) -> None:
    figures = night(waiting=Waiting(waiting, NIGHT) if waiting else Waiting())
    assert digest(figures, [told(Kind.QUALITY, BERAU, why=Why.RECOVERED)], context).subject.startswith(f"[{word}]")


def test_a_subject_counts_problems_alone(night: Night, context: Context) -> None:
    """What ended is named if there is room, never counted; of what is open below it nothing is said to have ended."""
    figures = night(visited=44_000, kabkota=(ON_PLAN, BEHIND))
    behind = told(Kind.BEHIND, BERAU, families=482)
    assert digest(figures, [behind, GONE], context).subject.endswith("26 Okt: tertinggal di 1 kab/kota")
    rejected = told(Kind.REJECTED, PROVINCE, families=70)
    ended = [GONE, told(Kind.ZERO, PROVINCE, why=Why.RECOVERED)]
    subject = digest(night(visited=44_000), [rejected, *ended], context).subject
    assert subject.endswith("kiriman ditolak (70 keluarga)")
    assert digest(night(province="11"), [told(Kind.CODE, PROVINCE), GONE], context).subject.endswith(
        "; tidak lagi tertinggal"
    )


def test_an_end_says_what_is_so_now_and_of_how_many_kabkota(night: Night, context: Context) -> None:
    """*No data arrived* as the good news of a night reads like the alarm; an end of a part is not one of the whole."""
    arrived = told(Kind.NO_DATA, PROVINCE, why=Why.RECOVERED)
    assert digest(night(), [arrived], context).subject == "[TERATASI] Kalimantan Timur, 26 Okt: data masuk lagi"
    of_part = told(Kind.BEHIND, BERAU, why=Why.RECOVERED)
    assert digest(night(), [of_part], context).subject.endswith("26 Okt: sebagian tidak lagi tertinggal")


def test_a_night_of_which_nothing_is_told_is_no_good_news_with_kabkota_behind(night: Night, context: Context) -> None:
    """Read by an operator: what is small, put off or acknowledged is told of nothing."""
    message = digest(night(kabkota=(ON_PLAN, SMALL)), [], context)
    assert message.subject == "[PERHATIAN] Kalimantan Timur, 26 Okt: tidak ada pemberitahuan"
    assert "sesuai rencana; 1 dari 2 kab/kota tertinggal" in flat(message)
    assert "Tidak ada masalah" not in message.body + message.html


def test_nobody_is_told_to_have_caught_up_because_nobody_asks_any_more(night: Night) -> None:
    late = night(night=date(2022, 12, 20), visited=50_000)
    memory = told_before("64", late.night, [("BEHIND", date(2022, 11, 20))])
    assert not shows(Kind.BEHIND, PROVINCE, late)
    assert memory.judge(late, Rules(LIMITS)).telling.told == ()


def test_mail_and_list_of_the_nation_call_no_province_well_with_kabkota_behind(night: Night) -> None:
    codes = [each.code for each in provinces()]
    stands = {code: ProvinceStand(night(province=code), ()) for code in codes}
    stands["72"] = ProvinceStand(night(province="72", kabkota=(ON_PLAN, BEHIND, SMALL)), ())
    message = compose_national(stands, PlatformFigures(NIGHT, codes, frozenset(codes), {}, None))
    assert message.subject == "[PERHATIAN] Nasional, 26 Okt: 1 tertinggal sebagian"
    told_so, well = flat(message).split("Tidak ada masalah (33 provinsi)")
    line = "Sulawesi Tengah (72): sesuai rencana; 2 dari 3 kab/kota tertinggal, 1 di antaranya jauh tertinggal"
    assert line in told_so and "Sulawesi Tengah" not in well
    assert '"72";"Sulawesi Tengah";"TIDAK DIBERITAHUKAN";' in message.attachments[0].content.decode("utf-8-sig")
