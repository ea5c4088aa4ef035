/*  policy_lint - what a file of policies may say and surely does not mean: a condition that never
 *  holds, or always does; units that do not go together; a name that nothing in the file has.
 *
 *  A broker takes such a file, because what is missing may be put by a command; where the file is
 *  checked, it is worth a word.
 */
#ifndef CLIENTS_TOCSIN_POLICY_LINT_H
#define CLIENTS_TOCSIN_POLICY_LINT_H

#include "broker/config.h"
#include "broker/yaml_value.h"
#include "clients/tocsin/policy_metrics.h"

#include <stdbool.h>
#include <stdio.h>

/*  Each finding is a line on `out`: file:line:column: message. `yaml` is the same file as it was
 *  read; `metrics` NULL: which metrics there are is not known. True if there is nothing to say. */
bool policy_lint(const settings_t *settings, const char *file, const yaml_value_t *yaml,
                 policy_metrics_t *metrics, FILE *out);

#endif
