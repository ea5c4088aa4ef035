/*  config_tables - the keys of the configuration file: types, units, ranges, defaults. */
#ifndef BROKER_CONFIG_TABLES_H
#define BROKER_CONFIG_TABLES_H

#include "broker/config.h"
#include "proto/schema.h"

extern const schema_t settings_schema, channel_schema; /* of settings_t */

const schema_t *limits_schema(void); /* of limit_settings_t */

#endif
