#!/usr/bin/env python3
"""Writes a file and keeps it open, so that what was written stays in this computer's memory as long as it may.

    unsaved.py SOURCE FILE      writes SOURCE's bytes to FILE, makes /run/unsaved-written, waits for /run/unsaved-close,
                                closes FILE and makes /run/unsaved-closed"""
import os, sys, time


def say(what):
    os.close(os.open(f"/run/unsaved-{what}", os.O_CREAT | os.O_WRONLY))


with open(sys.argv[1], "rb") as source:
    data = source.read()
file = os.open(sys.argv[2], os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o644)
os.write(file, data)
say("written")
while not os.path.exists("/run/unsaved-close"):
    time.sleep(0.1)
os.close(file)
say("closed")
