/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_MAILER_STACK_H
#define DISPATCHD_MAILER_STACK_H

#include <stdbool.h>

/*
 * A stack of its own for code that is left in the middle and gone on with later, always on the same
 * thread. What runs on it is entered from the thread's own stack and leaves to there.
 *
 *   thread    ── stack_enter() ──┐                   ┌── stack_enter() ──┐
 *   `run(arg)`                   └─▶ stack_leave() ──┘                   └─▶ …
 */
struct stack;

/* Nothing runs yet. NULL for lack of memory. */
struct stack *stack_new(void (*run)(void *arg), void *arg);
/* What ran on it has left for good, or never began. Takes NULL; returns NULL. */
struct stack *stack_free(struct stack *stack);

void stack_enter(struct stack *stack);
/* By what runs on it; with `for_good` it isn't entered again, and `run` must not just return. */
void stack_leave(struct stack *stack, bool for_good);

#endif
