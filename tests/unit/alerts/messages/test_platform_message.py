"""What failed of ours: told when there is something, grouped, with the command that repairs it."""

import re
from datetime import date
from decimal import Decimal
from typing import get_args

from regsosek.alerts.messages.platform_message import OUTSIDE, PlatformFigures, class_of, compose_platform
from regsosek.alerts.messages.rendering import TEMPLATES
from regsosek.alerts.sentences.texts import words_of
from regsosek.runbooks import pages
from regsosek.warehouse.nights.holding import HeldDelivery, MeasuredShare
from regsosek.wording import Language

NIGHT = date(2022, 10, 26)
NIK = "6403015502840001"


def figures(**changes: object) -> PlatformFigures:
    values = {"night": NIGHT, "asked": ["11", "64", "73"], "refreshed": frozenset(["11", "64", "73"])}
    return PlatformFigures(**{**values, "failed": {}, "publication": None, **changes})  # type: ignore[arg-type]


def test_a_good_night_has_nothing_to_tell() -> None:
    assert not figures().anything


def test_every_kind_of_fault_is_something() -> None:
    assert figures(refreshed=frozenset(["11", "64"])).anything
    assert figures(failed={"64": "ObjectStoreError: no answer"}).anything
    assert figures(publication="AuditError: sums differ").anything


def test_faults_are_grouped_and_the_repair_is_named() -> None:
    failed = {"64": "ParityError: rule P05:\n 3 and 4", "73": "ObjectStoreError: no answer"}
    message = compose_platform(figures(failed=failed, refreshed=frozenset(), publication="AuditError: sums differ"))
    assert message.subject == "[PIPELINE FAULT] 2022-10-26: 3 provinces failed, publication at fault"
    parity, failures = message.body.split("FAILED\n")
    assert "- 64: ParityError: rule P05: 3 and 4" in parity
    assert "- 73: ObjectStoreError: no answer" in failures
    assert "NOT REFRESHED, without an error of their own (1 of 3)\n  11\n" in message.body
    assert "regsosek night --date 2022-10-26 --province 11 --province 64 --province 73" in message.body


def test_publication_alone_asks_for_the_whole_night() -> None:
    message = compose_platform(figures(publication="AuditError: sums differ"))
    assert message.subject == "[PIPELINE FAULT] 2022-10-26: publication at fault"
    assert "regsosek night --date 2022-10-26\n" in message.body


def test_an_error_that_quotes_a_nik_does_not_carry_it_out() -> None:
    message = compose_platform(figures(failed={"64": f"value {NIK}"}, publication=f"{NIK}\nBcc: x@y.example"))
    assert NIK not in message.body + message.subject
    assert len(message.subject.splitlines()) == 1


def test_same_faults_same_fingerprint() -> None:
    failed = {"64": "a", "73": "b"}
    assert figures(failed=failed).fingerprint == figures(failed=dict(reversed(failed.items()))).fingerprint
    assert figures(failed=failed).fingerprint != figures(failed={"64": "a"}).fingerprint


def test_what_lies_astray_in_landing_is_counted_and_told() -> None:
    message = compose_platform(figures(unrecognised={"64": 3, OUTSIDE: 1}))
    assert message.subject == "[PIPELINE FAULT] 2022-10-26: unrecognised keys in landing"
    assert "Kalimantan Timur: 3" in message.body and "outside of every province: 1" in message.body
    assert "get no digest" not in message.body and "red task" not in message.body
    assert not figures(unrecognised={}).anything


def test_what_waits_for_a_decision_is_no_fault_but_is_told() -> None:
    share = MeasuredShare("keluarga", 1200, 720, Decimal(40), 50)
    held = HeldDelivery("64", "01GFXKQ2Z8V3M5N7P9R1T3W5Y7", NIGHT, NIGHT, 1200, 3600, (share,))
    waiting = figures(held=(held,))
    message = compose_platform(waiting)
    assert waiting.anything and not waiting.at_fault
    assert message.subject == "[DECISION NEEDED] 2022-10-26: 1 delivery held"
    body = " ".join(message.body.split())
    assert "64: 01GFXKQ2Z8V3M5N7P9R1T3W5Y7, since night 2022-10-26, 1,200 families" in body
    assert "720 of 1,200 families in error, limit 40%" in body
    assert "FAULT" not in message.body and "regsosek night" not in message.body
    both = compose_platform(figures(held=(held,), failed={"73": "ObjectStoreError: no answer"}))
    assert both.subject == "[PIPELINE FAULT] 2022-10-26: 1 province failed, 1 delivery held"
    assert waiting.fingerprint != figures().fingerprint


def test_the_class_of_a_fault_is_explained_with_its_own_runbook_in_the_readers_language() -> None:
    failed = {"64": "DefectError: province 64: TypeError", "73": "ObjectStoreError: no answer"}
    told = figures(failed=failed, publication="AuditError: sums differ", untold={"prov11": "EngineFaultError: x"})
    english = " ".join(compose_platform(told, "https://docs.example").body.split())
    assert "DefectError: a defect of our program. Runbook: https://docs.example/runbooks/defect.md" in english
    assert "ObjectStoreError: object storage did not answer as it must. Runbook: " in english
    assert "AuditError: a release failed its audit. Runbook: " in english
    assert "EngineFaultError: a database failed. Runbook: " in english
    message = compose_platform(told, "https://docs.example", "id")
    assert message.subject == ("[GANGGUAN SISTEM] 2022-10-26: 2 provinsi gagal, dan hal lain")
    indonesian = " ".join(message.body.split())
    assert "GAGAL - 64: DefectError: province 64: TypeError" in indonesian
    assert "DefectError: cacat pada program kita. Panduan: https://docs.example/runbooks/defect.md" in indonesian


def test_both_languages_tell_the_same_things() -> None:
    steps = re.compile(r"{%.*?%}|runbooks\.\w+|regsosek [a-z]+ [a-z-]+")
    texts = [(TEMPLATES / f"platform.{language}.txt.j2").read_text(encoding="utf-8") for language in ("en", "id")]
    assert steps.findall(texts[0]) == steps.findall(texts[1])


def test_every_typed_error_is_explained_in_both_languages() -> None:
    for language in get_args(Language):
        for about, name in pages():
            if about == "error":
                assert words_of(language).say(f"fault.{name}")


def test_a_fault_without_a_class_of_ours_is_told_as_it_is() -> None:
    assert class_of("provinces 64 failed conservation") == "RegsosekError"
    assert class_of("TypeError: x") == "RegsosekError"
    assert class_of("AuditError: x") == "AuditError"
