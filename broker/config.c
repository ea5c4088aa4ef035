#include "broker/config.h"

#include "broker/access_network.h"
#include "broker/channel.h"
#include "broker/config_tables.h"
#include "broker/yaml_value.h"
#include "engines/condition.h"
#include "engines/operations/runbook_library.h"
#include "proto/must.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

const char *const endpoint_names[ENDPOINT_COUNT] = {"metrics", "requests", "incidents",
                                                    "events",  "control",  "http"};

static const char *const default_addresses[ENDPOINT_COUNT] = {
    "tcp://127.0.0.1:7701", "tcp://127.0.0.1:7702", "tcp://127.0.0.1:7703",
    "tcp://127.0.0.1:7704", "tcp://127.0.0.1:7705", "127.0.0.1:7706"};

/*  One load: what it reads from, and whether anything is wrong. */
typedef struct {
    config_t *config;
    const overrides_t *overrides;
    yaml_value_t yaml;
    char *text;
    FILE *errors;
    bool wrong;
} load_t;

/* -- the file -- */

static void complain_at(load_t *self, const uint8_t *at, const char *message)
{
    yaml_place_t place = yaml_value_place(&self->yaml, at);
    fprintf(self->errors, "%s:%u:%u: %s\n", self->overrides->file, place.line, place.column,
            message);
    self->wrong = true;
}

static void take_error(void *context, const schema_error_t *error)
{
    complain_at(context, error->at, error->message);
}

static char *read_file(const char *path, size_t *size, FILE *errors, int *exit_status)
{
    FILE *file = fopen(path, "rb");
    *exit_status = EX_CONFIG;
    if (file == NULL) {
        fprintf(errors, "%s: %s\n", path, strerror(errno));
        return NULL;
    }
    struct stat status;
    size_t room = CONFIG_MAX_BYTES;
    if (fstat(fileno(file), &status) == 0 && S_ISREG(status.st_mode) &&
        (uint64_t)status.st_size < room)
        room = (size_t)status.st_size;
    char *text = memory_new(1, room + 1);
    *size = fread(text, 1, room + 1, file);
    bool failed = ferror(file) != 0;
    if (failed)
        fprintf(errors, "%s: %s\n", path, strerror(errno));
    else if (*size > CONFIG_MAX_BYTES)
        fprintf(errors, "%s:1:1: larger than %u bytes\n", path, CONFIG_MAX_BYTES);
    else if (*size > room)
        fprintf(errors, "%s: has grown while it was read\n", path);
    fclose(file);
    if (failed || *size > room) {
        free(text);
        return NULL;
    }
    return text;
}

static bool read_settings(load_t *self, int *exit_status)
{
    size_t size = 0;
    schema_defaults(&settings_schema, &self->config->settings);
    if (self->overrides->file == NULL)
        return true;
    self->text = read_file(self->overrides->file, &size, self->errors, exit_status);
    if (self->text == NULL)
        return false;
    *exit_status = EX_CONFIG;
    if (!yaml_value_read(&self->yaml, self->overrides->file, self->text, size, self->errors))
        return false;
    if (self->yaml.packed.size == 0)
        return true;
    cursor_t cursor = cursor_over(self->yaml.packed.data, self->yaml.packed.size);
    schema_listener_t listener = {take_error, self};
    schema_read(&settings_schema, &LIMITS_DEFAULT, &cursor, true, &self->config->arena,
                &self->config->settings, &listener);
    return true;
}

/* -- the environment and the flags -- */

typedef struct {
    load_t *load;
    const char *variable;
} variable_t;

static void take_variable_error(void *context, const schema_error_t *error)
{
    variable_t *variable = context;
    fprintf(variable->load->errors, "%s: %s\n", variable->variable, error->message);
    variable->load->wrong = true;
}

static void read_variable(load_t *self, const field_t *field, void *record, const char *variable,
                          const char *value)
{
    msgpack_sbuffer packed;
    msgpack_sbuffer_init(&packed);
    bool is_text = field->type == FIELD_TEXT || field->type == FIELD_TITLE;
    yaml_value_pack_scalar(value, strlen(value), is_text, &packed);
    text_t kept = arena_copy(&self->config->arena, (text_t){packed.data, packed.size});
    cursor_t cursor = cursor_over(kept.data, kept.size);
    variable_t named = {self, variable};
    schema_listener_t listener = {take_variable_error, &named};
    schema_read_field(field, &LIMITS_DEFAULT, &cursor, &self->config->arena, record, &listener);
    msgpack_sbuffer_destroy(&packed);
}

/*  TOCSIN_LIMITS_SERIES for limits.series, and so on for every scalar of every section. */
static void read_section(load_t *self, const field_t *section)
{
    for (size_t i = 0; i < section->inner->count; i++) {
        const field_t *field = &section->inner->fields[i];
        char variable[128];
        snprintf(variable, sizeof variable, "TOCSIN_%s_%s", section->key, field->key);
        for (char *c = variable; *c != '\0'; c++)
            *c = (char)toupper((unsigned char)*c);
        const char *value = getenv(variable);
        if (value != NULL)
            read_variable(self, field, (char *)&self->config->settings + section->offset, variable,
                          value);
    }
}

static void read_environment(load_t *self)
{
    for (size_t i = 0; i < settings_schema.count; i++)
        if (settings_schema.fields[i].type == FIELD_RECORD)
            read_section(self, &settings_schema.fields[i]);
    const char *store = getenv("TOCSIN_STORE");
    if (store != NULL && store[0] != '\0')
        self->config->settings.store.path = arena_copy(&self->config->arena, text_of(store));
}

static void apply_flags(load_t *self)
{
    settings_t *settings = &self->config->settings;
    if (self->overrides->store != NULL)
        settings->store.path = text_of(self->overrides->store);
    for (size_t i = 0; i < ENDPOINT_COUNT; i++) {
        if (self->overrides->endpoints[i] != NULL)
            settings->endpoints.addresses[i] = text_of(self->overrides->endpoints[i]);
        if (settings->endpoints.addresses[i].size == 0)
            settings->endpoints.addresses[i] = text_of(default_addresses[i]);
    }
}

/* -- what the tables cannot say -- */

static void complain_text(load_t *self, const char *section, size_t index, const char *key,
                          const char *message, text_t what)
{
    char line[512];
    snprintf(line, sizeof line, "%s: %s %.*s", key, message, (int)what.size,
             what.size == 0 ? "" : what.data);
    complain_at(self, yaml_value_find(&self->yaml, section, index, key), line);
}

/*  Sorted by name, equal names stand side by side. */
typedef struct {
    text_t name;
    size_t index;
} entry_t;

static int compare_entries(const void *a, const void *b)
{
    int order = text_compare(((const entry_t *)a)->name, ((const entry_t *)b)->name);
    return order != 0 ? order : (((const entry_t *)a)->index > ((const entry_t *)b)->index) * 2 - 1;
}

/*  `records` are structs of `size` bytes that begin with their name. */
static void check_names(load_t *self, const char *section, const void *records, size_t size,
                        size_t count)
{
    entry_t *entries = memory_new(count, sizeof *entries);
    for (size_t i = 0; i < count; i++)
        entries[i] =
            (entry_t){*(const text_t *)(const void *)((const char *)records + i * size), i};
    qsort(entries, count, sizeof *entries, compare_entries);
    for (size_t i = 1; i < count; i++)
        if (entries[i].name.data != NULL && text_equal(entries[i - 1].name, entries[i].name))
            complain_text(self, section, entries[i].index, "name",
                          "stands twice:", entries[i].name);
    free(entries);
}

static void check_condition(load_t *self, size_t index, const char *key, text_t text)
{
    condition_error_t error;
    if (text.data == NULL)
        return;
    condition_t *condition = condition_new(text, &error);
    if (condition == NULL) {
        char line[400];
        snprintf(line, sizeof line, "%s: line %u, column %u: %s", key, error.line, error.column,
                 error.message);
        complain_at(self, yaml_value_find(&self->yaml, "policies", index, key), line);
    }
    condition_destroy(&condition);
}

static bool has_channel(const settings_t *settings, text_t name)
{
    for (size_t i = 0; i < settings->channel_count; i++)
        if (text_equal(settings->channels[i].name, name))
            return true;
    return false;
}

static void check_policies(load_t *self)
{
    const settings_t *settings = &self->config->settings;
    for (size_t i = 0; i < settings->policy_count; i++) {
        const policy_t *policy = &settings->policies[i];
        check_condition(self, i, "condition", policy->condition);
        if (policy->resolve_condition.data != NULL)
            check_condition(self, i, "resolve_condition", policy->resolve_condition);
        for (size_t k = 0; k < policy->channels.count; k++)
            if (!has_channel(settings, policy->channels.items[k]))
                complain_text(self, "policies", i, "channels", "there is no channel",
                              policy->channels.items[k]);
    }
}

static void check_channels(load_t *self)
{
    const settings_t *settings = &self->config->settings;
    for (size_t i = 0; i < settings->channel_count; i++) {
        char words[200];
        const char *key = channel_wrong(&settings->channels[i], words, sizeof words);
        if (key != NULL)
            complain_text(self, "channels", i, key, words, TEXT_NONE);
    }
}

static void check_runbooks(load_t *self)
{
    const settings_t *settings = &self->config->settings;
    for (size_t i = 0; i < settings->runbook_count; i++) {
        schema_error_t error;
        if (runbook_check_steps(&settings->runbooks[i], &error) != STATUS_OK)
            complain_at(self, yaml_value_find(&self->yaml, "runbooks", i, "steps"), error.message);
    }
}

/*  Of a section that is a map, and that the environment may have set without a file. */
static void complain_key(load_t *self, const char *section, const char *key, const char *message)
{
    char line[640];
    snprintf(line, sizeof line, "%s.%s: %s", section, key, message);
    if (self->yaml.packed.size > 0) {
        complain_at(self, yaml_value_find(&self->yaml, section, 0, key), line);
        return;
    }
    fprintf(self->errors, "configuration: %s\n", line);
    self->wrong = true;
}

static void complain_access(load_t *self, const char *key, const char *message, text_t what)
{
    char line[512];
    snprintf(line, sizeof line, "%s%.*s", message, (int)what.size, what.size == 0 ? "" : what.data);
    complain_key(self, "access", key, line);
}

static void check_access(load_t *self)
{
    const access_settings_t *access = &self->config->settings.access;
    network_t network;
    size_t wrong;
    if ((access->keys.data == NULL) != (access->server_key.data == NULL))
        complain_access(self, access->keys.data == NULL ? "server_key" : "keys",
                        "`keys` and `server_key` belong together", TEXT_NONE);
    if (network_init(&network, access->allow, access->deny, &wrong))
        network_free(&network);
    else if (wrong < access->allow.count)
        complain_access(self, "allow", "expected ADDRESS or ADDRESS/BITS, not ",
                        access->allow.items[wrong]);
    else
        complain_access(self, "deny", "expected ADDRESS or ADDRESS/BITS, not ",
                        access->deny.items[wrong - access->allow.count]);
}

static void check_relay(load_t *self)
{
    char words[200];
    const char *key = relay_wrong(&self->config->settings.relay, words, sizeof words);
    if (key != NULL)
        complain_key(self, "relay", key, words);
}

static void check_dependencies(load_t *self)
{
    const dependency_settings_t *dependencies = &self->config->settings.dependencies;
    if (dependencies->degraded > dependencies->unhealthy)
        complain_key(self, "dependencies", "degraded", "must not be above dependencies.unhealthy");
    if (dependencies->min_requests > dependencies->window)
        complain_key(self, "dependencies", "min_requests", "must not be above dependencies.window");
}

/*  After the last colon: any port, or this one. */
static bool is_port(const char *colon)
{
    const char *port = colon + 1;
    size_t digits = strspn(port, "0123456789");
    return strcmp(port, "*") == 0 || (digits >= 1 && digits <= 5 && port[digits] == '\0' &&
                                      strtoul(port, NULL, 10) <= UINT16_MAX);
}

static bool is_address(const char *address)
{
    static const char tcp[] = "tcp://", ipc[] = "ipc://";
    if (strncmp(address, ipc, sizeof ipc - 1) == 0)
        return address[sizeof ipc - 1] != '\0';
    const char *colon = strrchr(address, ':');
    return strncmp(address, tcp, sizeof tcp - 1) == 0 && colon > address + sizeof tcp - 1 &&
           is_port(colon);
}

/*  A flag is not of the configuration: what cannot be bound is told when it is tried. */
static void check_endpoints(load_t *self)
{
    const endpoints_t *endpoints = &self->config->settings.endpoints;
    for (size_t i = 0; i < ENDPOINT_HTTP; i++) {
        char address[512];
        snprintf(address, sizeof address, "%.*s", (int)endpoints->addresses[i].size,
                 endpoints->addresses[i].data);
        if (self->overrides->endpoints[i] == NULL && !is_address(address))
            complain_key(self, "endpoints", endpoint_names[i],
                         "expected tcp://HOST:PORT or ipc://PATH");
    }
}

static void check_settings(load_t *self)
{
    const settings_t *settings = &self->config->settings;
    if (!self->wrong)
        check_access(self);
    check_endpoints(self);
    check_dependencies(self);
    check_relay(self);
    if (self->yaml.packed.size == 0 || self->wrong)
        return; /* nothing but the file holds lists; and what is misread need not be checked */
    check_names(self, "slos", settings->slos, sizeof *settings->slos, settings->slo_count);
    check_names(self, "policies", settings->policies, sizeof *settings->policies,
                settings->policy_count);
    check_names(self, "runbooks", settings->runbooks, sizeof *settings->runbooks,
                settings->runbook_count);
    check_names(self, "channels", settings->channels, sizeof *settings->channels,
                settings->channel_count);
    check_policies(self);
    check_runbooks(self);
    check_channels(self);
}

/* -- what the engines are given -- */

static void fill_limits(config_t *self)
{
    const limit_settings_t *limits = &self->settings.limits;
    self->limits = (limits_t){.frame_bytes = (uint32_t)limits->frame,
                              .batch = limits->batch,
                              .depth = limits->depth,
                              .name_bytes = limits->name,
                              .labels = limits->labels,
                              .label_name_bytes = limits->label_name,
                              .label_value_bytes = limits->label_value,
                              .text_bytes = limits->text,
                              .title_bytes = limits->title};
    self->operations = (operations_config_t){.policies = limits->policies,
                                             .runbooks = limits->runbooks,
                                             .alerts = limits->alerts,
                                             .incidents = limits->incidents,
                                             .silences = limits->silences,
                                             .notes = limits->notes};
}

static void fill_rules(config_t *self)
{
    const settings_t *settings = &self->settings;
    anomaly_rule_t *rules = arena_take(&self->arena, settings->anomaly_count * sizeof *rules);
    for (size_t i = 0; i < settings->anomaly_count; i++)
        rules[i] = (anomaly_rule_t){.name_glob = settings->anomaly[i].match.name,
                                    .kind = settings->anomaly[i].match.kind,
                                    .labels = settings->anomaly[i].match.labels,
                                    .sensitivity = settings->anomaly[i].sensitivity,
                                    .min_history = settings->anomaly[i].min_history,
                                    .severity = (severity_t)settings->anomaly[i].severity,
                                    .watch = settings->anomaly[i].watch};
    self->observability.anomaly_rules = rules;
    self->observability.anomaly_rule_count = settings->anomaly_count;
}

static void fill_observability(config_t *self)
{
    const settings_t *settings = &self->settings;
    self->observability = observability_config_default();
    self->observability.limits = self->limits;
    self->observability.series = settings->limits.series;
    self->observability.operations = settings->limits.operations;
    self->observability.dependencies = settings->limits.dependencies;
    self->observability.slos = settings->limits.slos;
    self->observability.plans = settings->limits.plans;
    self->observability.range_bytes = settings->limits.ranges;
    self->observability.series_ttl_s = settings->limits.series_ttl;
    self->observability.dependency_window = settings->dependencies.window;
    self->observability.dependency_min_requests = settings->dependencies.min_requests;
    self->observability.dependency_degraded = settings->dependencies.degraded;
    self->observability.dependency_unhealthy = settings->dependencies.unhealthy;
    fill_rules(self);
}

static void fill_channel_names(config_t *self)
{
    text_t *names = arena_take(&self->arena, self->settings.channel_count * sizeof *names);
    for (size_t i = 0; i < self->settings.channel_count; i++)
        names[i] = self->settings.channels[i].name;
    self->channel_names = (texts_t){names, self->settings.channel_count};
}

/*  Texts point into what was read; from here on they are the configuration's own. */
static void keep_texts(config_t *self)
{
    self->settings =
        *(const settings_t *)schema_copy(&settings_schema, &self->settings, &self->arena);
}

/* -- life -- */

static bool has_policy(const settings_t *settings, const char *name)
{
    for (size_t i = 0; i < settings->policy_count; i++)
        if (text_is(settings->policies[i].name, name))
            return true;
    return false;
}

/*  A channel that fails is told to the others, unless the file has a policy of its own for that. */
static void add_failing_policy(config_t *self)
{
    settings_t *settings = &self->settings;
    if (settings->channel_count < 2 || has_policy(settings, NOTIFICATION_FAILING_POLICY))
        return;
    policy_t *policies = arena_take(&self->arena, (settings->policy_count + 1) * sizeof *policies);
    for (size_t i = 0; i < settings->policy_count; i++)
        policies[i] = settings->policies[i];
    policy_t *failing = &policies[settings->policy_count++];
    schema_defaults(&policy_schema, failing);
    failing->name = TEXT_OF(NOTIFICATION_FAILING_POLICY);
    failing->condition = TEXT_OF("tocsin_channel_failing > 0");
    failing->severity = SEVERITY_HIGH;
    failing->channels = self->channel_names;
    failing->summary = TEXT_OF("a notification channel fails");
    settings->policies = policies;
}

config_t *config_load(const overrides_t *overrides, FILE *errors, int *exit_status)
{
    load_t load = {.overrides = overrides, .errors = errors};
    load.config = memory_new(1, sizeof *load.config);
    atomic_init(&load.config->shares, 1);
    arena_init(&load.config->arena);
    *exit_status = EX_CONFIG;
    bool good = read_settings(&load, exit_status);
    if (good) {
        *exit_status = EX_CONFIG;
        read_environment(&load);
        apply_flags(&load);
        check_settings(&load);
        keep_texts(load.config);
        fill_limits(load.config);
        fill_observability(load.config);
        fill_channel_names(load.config);
        add_failing_policy(load.config);
    }
    yaml_value_free(&load.yaml);
    free(load.text);
    if (!good || load.wrong)
        config_destroy(&load.config);
    return load.config;
}

config_t *config_share(config_t *self)
{
    atomic_fetch_add(&self->shares, 1);
    return self;
}

void config_destroy(config_t **self)
{
    if (*self != NULL && atomic_fetch_sub(&(*self)->shares, 1) == 1) {
        arena_free(&(*self)->arena);
        free(*self);
    }
    *self = NULL;
}

void config_print(const config_t *self, FILE *out)
{
    settings_t settings = self->settings;
    channel_t *channels = memory_new(settings.channel_count, sizeof *channels);
    for (size_t i = 0; i < settings.channel_count; i++) {
        channels[i] = settings.channels[i];
        if (channels[i].url.data != NULL)
            channels[i].url = channel_masked_url(&channels[i]);
    }
    settings.channels = channels;
    msgpack_sbuffer packed;
    msgpack_sbuffer_init(&packed);
    schema_write(&settings_schema, &settings, false, &packed);
    yaml_value_write(packed.data, packed.size, out);
    msgpack_sbuffer_destroy(&packed);
    free(channels);
}

bool config_store_directory(const config_t *self, char *out, size_t size)
{
    const char *state = getenv("STATE_DIRECTORY"), *home = getenv("HOME");
    const char *xdg = getenv("XDG_STATE_HOME");
    int length = -1;
    if (self->settings.store.path.size > 0)
        length = snprintf(out, size, "%.*s", (int)self->settings.store.path.size,
                          self->settings.store.path.data);
    else if (state != NULL && state[0] != '\0')
        length = snprintf(out, size, "%.*s", (int)strcspn(state, ":"), state);
    else if (xdg != NULL && xdg[0] == '/')
        length = snprintf(out, size, "%s/tocsin", xdg);
    else if (home != NULL && home[0] == '/')
        length = snprintf(out, size, "%s/.local/state/tocsin", home);
    return length > 0 && (size_t)length < size;
}
