/* SPDX-License-Identifier: MIT */
#include "center/pages/plot_ground.h"

#include <math.h>

#define METERS_A_DEGREE 111195.0 /* of the mean earth's great circle */
#define METERS_A_FOOT   0.3048
#define LEAST_WIDTH     40.0 /* meters */
#define ROOM            1.4  /* the plot's width by that of what is on it */
#define HEIGHT          0.75 /* by its width */

struct range {
	double least, most;
};

static void extend(struct range *range, double value)
{
	range->least = fmin(range->least, value);
	range->most = fmax(range->most, value);
}

static double middle(const struct range *range)
{
	return (range->least + range->most) / 2;
}

static double size(const struct range *range)
{
	return range->most - range->least;
}

static double radians(double degrees)
{
	return degrees * acos(-1) / 180;
}

/* The longest of 1, 2 and 5 and their tenfolds. */
static double round_length(double most)
{
	double ten = pow(10, floor(log10(most)));
	return most >= 5 * ten ? 5 * ten : most >= 2 * ten ? 2 * ten : ten;
}

static struct plot_bar bar_of(double width)
{
	double length = round_length(width / 3);
	return (struct plot_bar){.length = length, .width = length / width * 100};
}

struct plot_ground plot_ground(struct plot_spot *spots, size_t n)
{
	struct range north = {INFINITY, -INFINITY}, east = {INFINITY, -INFINITY};
	for (size_t i = 0; i < n; i++) {
		extend(&north, spots[i].latitude);
		extend(&east, spots[i].longitude);
	}
	double meters_east = METERS_A_DEGREE * cos(radians(middle(&north)));
	double needed = fmax(size(&east) * meters_east, size(&north) * METERS_A_DEGREE / HEIGHT);
	double width = fmax(needed * ROOM, LEAST_WIDTH);
	for (size_t i = 0; i < n; i++) {
		double right = (spots[i].longitude - middle(&east)) * meters_east;
		double down = (middle(&north) - spots[i].latitude) * METERS_A_DEGREE;
		spots[i].x = 50 + right / width * 100;
		spots[i].y = 50 + down / (width * HEIGHT) * 100;
	}
	return (struct plot_ground){.meters = bar_of(width), .feet = bar_of(width / METERS_A_FOOT)};
}
