/* SPDX-License-Identifier: MIT */
#ifndef COMMON_NO_CORE_H
#define COMMON_NO_CORE_H

/*
 * Makes the process one that leaves no core dump, and that nobody but root may attach to: passwords
 * are in its memory. To be called before the first of them is read. A program that it starts is not
 * affected.
 */
void no_core(void);

#endif
