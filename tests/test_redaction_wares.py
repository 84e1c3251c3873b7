"""Cars and graphics cards, records of the world, answers of a server: numbers that are nobody's."""

from __future__ import annotations

import pytest

from vault.redaction.engine import Engine


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


@pytest.mark.parametrize(
    "text",
    [
        "Which is better, RX 7900 XT or RTX 4080?",
        "RX 6600 XT",
        "I have an RX 580 2048SP",
        "RX 470 or GTX 1060",
        "Is the Radeon RX 7800 good for 1440p?",
        "urn:isbn:0451450523",
        "chart 5120 x 2880",
        "record 1200",
        "group 12345",
    ],
)
def test_a_graphics_card_and_a_record_are_no_patient(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Rx 7712034 at the pharmacy", "7712034"),
        ("Rx no 4410, refill please", "4410"),
        ("URN: 4410293", "4410293"),
        ("dental record 5137, smilehub", "5137"),
        ("my chart 77441", "77441"),
        ("insurance: member id XQW884120937, group 0077120", "0077120"),
    ],
)
def test_a_patient_is_found_by_the_same_words(engine: Engine, text: str, value: str) -> None:
    assert value not in engine.redact_text(text).text


@pytest.mark.parametrize(
    "text",
    [
        "Difference between BMW 320d, Audi A4 40 TDI and Mercedes C 220 d?",
        "Mercedes S 500",
        "Is the Mercedes C 63 S faster than the BMW M 340?",
        "Peugeot 308 SW",
        "Lexus RX 350",
        "which car: Lexus RX 350 or Volvo XC 90?",
        "Kawasaki Z 900 bike",
        "Honda CB 500 F bike",
        "Boeing B 737 taxi",
        "my car is a Mercedes C 220 d",
    ],
)
def test_the_model_behind_its_maker_is_no_plate(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text == text


@pytest.mark.parametrize(
    ("text", "plate"),
    [
        ("my BMW, plate M 340 is parked", "M 340"),
        ("the BMW Kennzeichen B XY 123", "B XY 123"),
        ("my Toyota KBZ 412K was clamped", "KBZ 412K"),
        ("Fiat AB 123 CD was towed", "AB 123 CD"),
        ("drives suzuki mehran SLK-6756", "SLK-6756"),
    ],
)
def test_a_plate_behind_a_maker_is_found(engine: Engine, text: str, plate: str) -> None:
    assert plate not in engine.redact_text(text).text


@pytest.mark.parametrize(
    "text",
    [
        '127.0.0.1 - - [10/Oct/2024:13:55:36 +0000] "GET /phones HTTP/1.1" 200 5120',
        '"GET /contact?phone=1 HTTP/1.1" 404 1532',
        '"GET /api/telemetry HTTP/1.1" 200 5120',
        "GET /phones 200 5120",
        "the telescope measures 412 0922 counts",
    ],
)
def test_what_a_server_answered_is_no_telephone(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text == text


def test_a_telephone_is_found_behind_a_slash_and_behind_a_request(engine: Engine) -> None:
    assert "555 0142" not in engine.redact_text("mobile/tel: 412 555 0142").text
    assert "7700 900123" not in engine.redact_text('"GET /x HTTP/1.1" 200 12 phone +44 7700 900123').text


@pytest.mark.parametrize(
    "text",
    [
        "the car has 12v 7ah and 5a fuse",
        "car battery, get 24v",
        "coche de 110 cv y 5 puertas",
        "moto 125 cc 15 cv",
        "batterie voiture 12v 70ah 640a ou 680a pour une peugeot 308, laquelle je prends",
    ],
)
def test_how_much_a_car_has_is_no_plate(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text == text


@pytest.mark.parametrize("plate", ["ABC 12V", "abc 12v", "110 CV", "KX19 VBD"])
def test_a_plate_that_looks_like_it_is_found(engine: Engine, plate: str) -> None:
    assert plate not in engine.redact_text(f"my car, plate {plate}, was towed").text
