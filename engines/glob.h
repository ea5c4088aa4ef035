/*  glob - does a pattern of * and ? take this name?
 *
 *  Owns     nothing
 *  Bounds   time: the product of both lengths at most; no recursion
 *  Thread   any
 *
 *  * takes any run of characters, also none; ? takes any one character (of UTF-8). There is no
 *  escape: metric names hold neither.
 */
#ifndef ENGINES_GLOB_H
#define ENGINES_GLOB_H

#include "proto/text.h"

#include <stdbool.h>

bool glob_takes(text_t pattern, text_t name);

#endif
