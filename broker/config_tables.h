/*  config_tables - the keys of the configuration file: types, units, ranges, defaults. Private to
 * config. */
#ifndef BROKER_CONFIG_TABLES_H
#define BROKER_CONFIG_TABLES_H

#include "broker/config.h"
#include "proto/schema.h"

extern const schema_t settings_schema, channel_schema; /* of settings_t */

#endif
