#pragma once

/* What the server says to a shopper. */
#include "souk/demo/shopper.h"

/* One or more JSON objects, separated by line feeds. */
void shopper_hear(struct shopper *s, struct str message);
