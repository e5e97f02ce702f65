/* SPDX-License-Identifier: MIT */
#include "model/message.h"

#include "base/error.h"

#include <stddef.h>

#define ROW(message) [(message) >> 8]

/* Made by `journalctl --new-id128` or the like, once. */
static const char *const ids[MESSAGE_COUNT] = {
        ROW(MESSAGE_STARTED) = "f5eb422bd6934f069311de28e32904c8",
        ROW(MESSAGE_NOT_STARTED) = "086a260fa7384fb39f60afd1a29ab617",
        ROW(MESSAGE_RELOAD_REFUSED) = "0926d85ea5ca4d4f9dbad66309b5668e",
        ROW(MESSAGE_REDIS_DOWN) = "1d1beabd5fc74d0680a5fde3a91e5684",
        ROW(MESSAGE_REDIS_REFUSES) = "8c4e2e70b71645b0bb7f0106a797edd4",
        ROW(MESSAGE_ENTRIES_LOST) = "3ac85ae91aed4c7996bc2a7f3954fe73",
        ROW(MESSAGE_NOT_COMMITTED) = "045315ff11b644ef9ce70e7f2bd6fbb9",
        ROW(MESSAGE_STALLED) = "837b83c7763d49e69c2d6d252da52fd3",
        ROW(MESSAGE_RELAY_DOWN) = "9336e2ff222c4dcea01394b09b62be45",
        ROW(MESSAGE_RELAY_FAILS) = "2128eaff6b084b288f168063a5192934",
        ROW(MESSAGE_MAILS_REFUSED) = "d743fa32ee4347989e399db3525802f2",
        ROW(MESSAGE_PAUSED) = "5f409f4226d54026b48f5fd63365e142",
        ROW(MESSAGE_DEAD_LETTER) = "f09cf561989f458c9c7a78d996bb484c",
        ROW(MESSAGE_TEMPLATE_BROKEN) = "34b8abcceae24a8aa16114681cdd9582",
        ROW(MESSAGE_UNREACHABLE) = "c4f9632e1cf1499c8a4fa8f1064d5777",
        ROW(MESSAGE_BREAKER_OPEN) = "bf0de10f24e045268443552fc887fcfc",
};

const char *message_id(int what)
{
	unsigned number = ((unsigned)what & (unsigned)MESSAGE_MASK) >> 8;
	if (number >= MESSAGE_COUNT)
		bug("there is no message %u", number);
	return ids[number];
}
