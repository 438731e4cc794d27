"""A mail server that puts each e-mail into a folder, so that one can count them, and that fails now and then."""

import os
import pathlib
import random
import time

FOLDER = pathlib.Path(os.environ.get("SIGNUP_MAIL", "mail"))
FAILURES = float(os.environ.get("SIGNUP_MAIL_FAILURES", "0.3"))


def send(to: str, text: str) -> str:
    """One file per e-mail that went out; returns its name."""
    if random.random() < FAILURES:
        raise ConnectionError("the mail server does not answer")
    FOLDER.mkdir(parents=True, exist_ok=True)
    file = FOLDER / f"{time.time_ns()}-{to}.txt"
    draft = file.with_suffix(".draft")
    draft.write_text(f"To: {to}\n\n{text}\n")
    draft.rename(file)  # at once, so that whoever counts never sees half an e-mail
    return file.name
