"""What a session knows is known in code too: values anywhere, names where they can be nothing of its own."""

from __future__ import annotations

import pytest
from told import told

PASSWORD = "my password is Kestrel-Wombat9921"
PERSON = "My name is Rosalind Achterberg"


@pytest.mark.parametrize(
    ("first", "again", "shown"),
    [
        (PASSWORD, "I tried `Kestrel-Wombat9921` twice", "I tried `<SECRET_1>` twice"),
        (
            PASSWORD,
            "def f():\n    return check('Kestrel-Wombat9921')\nx = f()",
            "def f():\n    return check('<SECRET_1>')\nx = f()",
        ),
        ("my account number is 31926819", "I typed `31926819` there", "I typed `<BANK_ACCOUNT_1>` there"),
        (
            "my account number is 31926819",
            "```sql\nSELECT * FROM accounts WHERE no = 31926819;\n```",
            "```sql\nSELECT * FROM accounts WHERE no = '<BANK_ACCOUNT_1>';\n```",
        ),
        ("my passport is 925100617", "`925100617`", "`<PASSPORT_1>`"),
        ("My phone is 020 7946 0018", "tel `020 7946 0018`", "tel `<PHONE_NUMBER_1>`"),
        ("My phone is 020 7946 0018", "tel `+44 20 7946 0018`", "tel `<PHONE_NUMBER_1>`"),
        ("the api key is 7f3d9a1be4c24c55a0f8", "`7f3d9a1be4c24c55a0f8`", "`<SECRET_1>`"),
        (
            "my username is blue_fox77",
            "const u = 'blue_fox77';\nfoo(u);",
            "const u = '<USERNAME_1>';\nfoo(u);",
        ),
        (PERSON, "`Rosalind Achterberg`", "`<PERSON_1>`"),
        (PERSON, "`Rosalind`", "`<PERSON_2>`"),
        (
            PERSON,
            'print("Rosalind Achterberg")\nfoo("Rosalind")',
            'print("<PERSON_1>")\nfoo("<PERSON_2>")',
        ),
        (
            PERSON,
            "```python\n# ask Rosalind about it\nx = y(1)\n```",
            "```python\n# ask <PERSON_2> about it\nx = y(1)\n```",
        ),
    ],
)
def test_p1_what_a_session_knows_is_known_in_code(first: str, again: str, shown: str) -> None:
    assert told(first, again)[1] == shown


@pytest.mark.parametrize(
    ("first", "again"),
    [
        ("Name: Max Rivers, 020 7946 0018", "```js\nconst x = Math.max(1, 2);\nlet max = rivers;\n```"),
        (PERSON, "the branch `fix/rosalind`"),
        (PERSON, "```python\nx = rosalind.y\nrosalind_id = 3\n```"),
        ("I'm Mark Young, 020 7946 0018", 'mark("young");\nmark(x);'),
        ("I'm Jordan Ellis", "```python\nfrom jordan import form\nx = jordan(2)\n```"),
    ],
)
def test_the_names_of_code_are_its_own(first: str, again: str) -> None:
    assert told(first, again)[1] == again
