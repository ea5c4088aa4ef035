/*  rfc3339 - a point in time as other services write it (RFC 3339, UTC, milliseconds). */
#ifndef BROKER_RFC3339_H
#define BROKER_RFC3339_H

#define RFC3339_BYTES 32u

/*  NaN is the zero time of Go, with which Alertmanager says "no end". Answers `out`. */
const char *rfc3339(double unix_s, char out[RFC3339_BYTES]);

#endif
