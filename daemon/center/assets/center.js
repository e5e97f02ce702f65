// SPDX-License-Identifier: MIT
// What the pages do beyond links and forms. Without it everything works, too: each module only makes quicker what a
// page does anyway.
import { keys } from "./keys.js";
import { dialogs } from "./dialog.js";
import { command } from "./command.js";
import { find } from "./find.js";
import { hours } from "./hours.js";
import { live } from "./live.js";
import { map } from "./map.js";
import { plot } from "./plot.js";
import { suspension } from "./suspension.js";
import { uploads } from "./upload.js";

for (const start of [find, dialogs, keys, hours, plot, map, suspension, uploads, command, live])
	start();
