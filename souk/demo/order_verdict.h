#pragma once

/* What must hold of all that the book has seen, whichever topic came first. */
#include "souk/demo/order_book.h"

/* Adds every breach that the end shows; recounts the items' finals. */
void order_verdict(struct order_book *b);
