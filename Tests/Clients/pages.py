#!/usr/bin/env python3
"""One client writes what others read all the while, each round one entry and one page more.

    pages.py write|read FOLDER      until /run/pages.stop is there; /run/pages.rounds counts, /run/pages.end has the last number
The log in FOLDER grows by a line at a time: who opens it sees all that was closed before, and never less than last time.
The page is written in place under a lock: who has it locked sees one round's page, and never an older one."""
import fcntl, hashlib, os, sys, time

ERRORS = "/run/pages.error"


def line(number):
    return f"{number} {hashlib.sha256(str(number).encode()).hexdigest()}\n"


def write(folder, number):
    with open(f"{folder}/log", "a") as log:
        log.write(line(number))
    page = os.open(f"{folder}/page", os.O_RDWR | os.O_CREAT, 0o644)
    fcntl.flock(page, fcntl.LOCK_EX)
    os.pwrite(page, f"{number:8}\n".encode() * 5000, 0)
    fcntl.flock(page, fcntl.LOCK_UN)
    os.close(page)
    time.sleep(0.2)
    return number


def read(folder, number, seen={"log": 0, "page": 0}):
    with open(f"{folder}/log") as log:
        lines = log.readlines()
    for place, text in enumerate(lines):
        if text != line(place + 1):
            raise ValueError(f"line {place + 1} of the log is {text!r}")
    if number % 3 == 0:
        with open(f"{folder}/page") as page:
            fcntl.flock(page, fcntl.LOCK_SH)
            numbers = {int(text) for text in page.readlines()}
        if len(numbers) != 1:
            raise ValueError(f"the page is of the rounds {sorted(numbers)}")
        if min(numbers) < seen["page"]:
            raise ValueError(f"the page is of round {numbers}, but was of {seen['page']} before")
        seen["page"] = min(numbers)
    if len(lines) < seen["log"]:
        raise ValueError(f"the log has {len(lines)} lines, but had {seen['log']} before")
    seen["log"] = len(lines)
    time.sleep(0.3)
    return len(lines)


def main(what, folder):
    round, last, stops = 0, 0, False
    while not stops or round % 3:
        stops = os.path.exists("/run/pages.stop")
        round += 1
        try:
            last = {"write": write, "read": read}[what](folder, round)
        except (OSError, ValueError) as error:
            with open(ERRORS, "a") as out:
                out.write(f"{error}\n")
        with open("/run/pages.rounds", "w") as out:
            out.write(f"{round}\n")
    with open("/run/pages.end", "w") as out:
        out.write(f"{last}\n")


main(*sys.argv[1:])
