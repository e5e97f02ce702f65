/* SPDX-License-Identifier: MIT */
#ifndef CENTER_PAGES_PLOT_GROUND_H
#define CENTER_PAGES_PLOT_GROUND_H

#include <stddef.h>

/*
 * The plain plot of a site: north up, four wide and three high, from coordinates. Equirectangular
 * about their middle, which is right to a hand's breadth at the size of a site.
 */
struct plot_spot {
	double latitude, longitude; /* degrees */
	double x, y;                /* in percent of the plot, from the left and from the top */
};

/* A bar of the scale: a round length of at most a third of the plot. */
struct plot_bar {
	double length; /* in its unit */
	double width;  /* in percent of the plot */
};
struct plot_ground {
	struct plot_bar meters, feet;
};

/* Sets x and y of all spots, with room around them. `n` is 1 or more. */
struct plot_ground plot_ground(struct plot_spot *spots, size_t n);

#endif
