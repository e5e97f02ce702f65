#!/bin/sh
# SPDX-License-Identifier: MIT
# What a mail's rows cost in the spool: time, bytes, and their removal.
exec "${BUILD:-build}/tests/bench_spool"
