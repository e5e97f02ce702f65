/* SPDX-License-Identifier: MIT */
/*
 * Stacks for coroutines (see the header): the only code that knows how to change from one to
 * another, and what sanitizers have to be told of it. makecontext() begins one, setjmp() and
 * longjmp() change: swapcontext() would do that, too, but makes a system call each time for a mask
 * of signals that is the same everywhere here.
 */
#undef _FORTIFY_SOURCE /* its longjmp() goes to no other stack */
#include "dispatchd/mailer/stack.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#if defined __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#elif defined __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

/* Of these bytes only those that are touched take memory. JSON takes most, which is read as deep as
 * jansson allows. Below is a part that faults, larger than any array on a stack. */
enum { STACK_BYTES = 4 << 20, STACK_GUARD_BYTES = 64 * 1024 };

struct stack {
	void (*run)(void *arg);
	void *arg;
	char *bytes; /* with the guard */
	ucontext_t start;
	bool begun;
	jmp_buf inner, outer; /* where it was left, and entered from */
	/* For the sanitizers: what belongs to each of both. */
	void *inner_state, *outer_state;
	const void *outer_bottom;
	size_t outer_bytes;
};

/* The arguments of what makecontext() begins can't be pointers. */
static _Thread_local struct stack *beginning;

/* ---- what the sanitizers have to know ---- */

#if defined __SANITIZE_ADDRESS__
static void stack_announce_inner(struct stack *stack)
{
	__sanitizer_start_switch_fiber(&stack->outer_state, stack->bytes + STACK_GUARD_BYTES,
	                               STACK_BYTES);
}

static void stack_announce_outer(struct stack *stack, bool for_good)
{
	__sanitizer_start_switch_fiber(for_good ? NULL : &stack->inner_state, stack->outer_bottom,
	                               stack->outer_bytes);
}

static void stack_arrive_inner(struct stack *stack)
{
	__sanitizer_finish_switch_fiber(stack->inner_state, &stack->outer_bottom,
	                                &stack->outer_bytes);
}

static void stack_arrive_outer(struct stack *stack)
{
	__sanitizer_finish_switch_fiber(stack->outer_state, NULL, NULL);
}
#else
static void stack_announce_inner(struct stack *stack)
{
	(void)stack;
#if defined __SANITIZE_THREAD__
	stack->outer_state = __tsan_get_current_fiber();
	__tsan_switch_to_fiber(stack->inner_state, 0);
#endif
}

static void stack_announce_outer(struct stack *stack, bool for_good)
{
	(void)stack, (void)for_good;
#if defined __SANITIZE_THREAD__
	__tsan_switch_to_fiber(stack->outer_state, 0);
#endif
}

static void stack_arrive_inner(struct stack *stack)
{
	(void)stack;
}

static void stack_arrive_outer(struct stack *stack)
{
	(void)stack;
}
#endif

/* ---- beginning and end ---- */

static void stack_main(void)
{
	struct stack *stack = beginning;

	stack_arrive_inner(stack);
	stack->run(stack->arg);
	bug("a coroutine has returned");
}

struct stack *stack_new(void (*run)(void *arg), void *arg)
{
	struct stack *stack = mem_alloc(sizeof *stack);

	*stack = (struct stack){.run = run, .arg = arg};
	stack->bytes = mmap(NULL, STACK_GUARD_BYTES + STACK_BYTES, PROT_NONE,
	                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
	if (stack->bytes == MAP_FAILED ||
	    mprotect(stack->bytes + STACK_GUARD_BYTES, STACK_BYTES, PROT_READ | PROT_WRITE) < 0)
		return stack_free(stack);
	/* Else the first byte may take 2 MiB. */
	(void)madvise(stack->bytes, STACK_GUARD_BYTES + STACK_BYTES, MADV_NOHUGEPAGE);
	getcontext(&stack->start); /* cppcheck-suppress getcontextCalled */
	stack->start.uc_stack =
	        (stack_t){.ss_sp = stack->bytes + STACK_GUARD_BYTES, .ss_size = STACK_BYTES};
	makecontext(&stack->start, stack_main, 0); /* cppcheck-suppress makecontextCalled */
#if defined __SANITIZE_THREAD__
	stack->inner_state = __tsan_create_fiber(0);
#endif
	return stack;
}

struct stack *stack_free(struct stack *stack)
{
	if (!stack)
		return NULL;
#if defined __SANITIZE_THREAD__
	if (stack->inner_state)
		__tsan_destroy_fiber(stack->inner_state);
#endif
	if (stack->bytes != MAP_FAILED)
		munmap(stack->bytes, STACK_GUARD_BYTES + STACK_BYTES);
	free(stack);
	return NULL;
}

/* ---- changing ---- */

void stack_enter(struct stack *stack)
{
	if (_setjmp(stack->outer) == 0) {
		stack_announce_inner(stack);
		if (stack->begun)
			_longjmp(stack->inner, 1);
		stack->begun = true;
		beginning = stack;
		setcontext(&stack->start);
	}
	stack_arrive_outer(stack);
}

void stack_leave(struct stack *stack, bool for_good)
{
	if (_setjmp(stack->inner) == 0) {
		stack_announce_outer(stack, for_good);
		_longjmp(stack->outer, 1);
	}
	stack_arrive_inner(stack);
}
