/* SPDX-License-Identifier: MIT */
/* Moved: rules and configuration check addresses, too. */
#include "base/address.h"
