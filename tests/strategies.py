"""What Hypothesis draws in more than one file: keys, ids, texts, and what a message may hold."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

FEW = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
keys = st.binary(min_size=32, max_size=32)
ids = st.binary(min_size=16, max_size=16)


def texts(max_size: int | None = None) -> st.SearchStrategy[str]:
    """Texts that a message may hold."""
    return st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=max_size)


def leaves(max_size: int | None = None) -> st.SearchStrategy[object]:
    """What a message may hold that holds nothing else."""
    return (
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**64 - 1)
        | st.floats(allow_nan=False)
        | texts(max_size)
        | st.binary(max_size=max_size)
    )
