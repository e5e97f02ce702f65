#!/bin/sh
# SPDX-License-Identifier: MIT
# How many events a second the engine decides, commits and sees delivered.
exec "${BUILD:-build}/tests/bench_engine"
