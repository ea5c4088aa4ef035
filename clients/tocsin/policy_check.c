#include "broker/config.h"
#include "clients/tocsin/output.h"
#include "clients/tocsin/policy_lint.h"
#include "clients/tocsin/runs.h"
#include "clients/tocsin/session.h"
#include "proto/must.h"
#include "proto/pack.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/*  A line "FILE:LINE:COL: message", or one without a place. */
typedef struct {
    const char *message;
    size_t message_size;
    uint64_t line, column; /* 0: it has no place */
} finding_line_t;

static finding_line_t read_finding(const char *file, const char *text, size_t size)
{
    finding_line_t self = {.message = text, .message_size = size};
    unsigned line, column;
    int used = 0;
    size_t name = strlen(file);
    if (size <= name || strncmp(text, file, name) != 0)
        return self;
    if (sscanf(text + name, ":%u:%u: %n", &line, &column, &used) == 2 && used > 0) {
        size_t place = name + (size_t)used;
        self = (finding_line_t){text + place, size - place, line, column};
    }
    return self;
}

static void pack_finding(msgpack_sbuffer *out, const char *file, const finding_line_t *finding)
{
    pack_map(out, 4);
    pack_string(out, "file");
    pack_string(out, file);
    pack_string(out, "line");
    pack_uint(out, finding->line);
    pack_string(out, "column");
    pack_uint(out, finding->column);
    pack_string(out, "message");
    pack_text(out, (text_t){finding->message, finding->message_size});
}

/*  What is wrong, as data: {"items": [{file, line, column, message}]}. */
static void show_data(const call_t *call, const char *file, const char *lines)
{
    msgpack_sbuffer items, answer;
    size_t count = 0;
    msgpack_sbuffer_init(&items);
    for (const char *at = lines; *at != '\0'; count++) {
        size_t size = strcspn(at, "\n");
        finding_line_t finding = read_finding(file, at, size);
        pack_finding(&items, file, &finding);
        at += size + (at[size] == '\n');
    }
    msgpack_sbuffer_init(&answer);
    pack_map(&answer, 1);
    pack_string(&answer, "items");
    size_t start = answer.size;
    pack_array(&answer, count);
    if (count > 0)
        pack_raw(&answer, (text_t){items.data, items.size});
    output_list(call, NULL, (tocsin_value_t){answer.data, answer.size},
                (tocsin_value_t){answer.data + start, answer.size - start}, stdout);
    msgpack_sbuffer_destroy(&answer);
    msgpack_sbuffer_destroy(&items);
}

/*  The file once more, for the places in it. Empty when it cannot be read any more. */
static char *read_again(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rbe");
    char *text = memory_new(CONFIG_MAX_BYTES, 1);
    *size = file == NULL ? 0 : fread(text, 1, CONFIG_MAX_BYTES, file);
    if (file != NULL)
        fclose(file);
    return text;
}

/*  What the broker would take, but nobody means; true if there is nothing to say. */
static bool lint(const config_t *config, const char *file, policy_metrics_t *metrics, FILE *errors)
{
    size_t size;
    yaml_value_t yaml;
    char *text = read_again(file, &size);
    bool good =
        yaml_value_read(&yaml, file, text, size, errors) &&
        (yaml.packed.size == 0 || policy_lint(&config->settings, file, &yaml, metrics, errors));
    yaml_value_free(&yaml);
    free(text);
    return good;
}

static void show_good(const config_t *config, const char *file)
{
    printf("%s: %u policies, %u SLOs, %u runbooks, %u channels: nothing is wrong\n", file,
           config->settings.policy_count, config->settings.slo_count,
           config->settings.runbook_count, config->settings.channel_count);
}

static int check(const call_t *call, policy_metrics_t *metrics)
{
    const char *file = call->operands[0];
    char *lines = NULL;
    size_t size;
    int exit_status;
    FILE *errors = open_memstream(&lines, &size);
    must(errors != NULL);
    config_t *config = config_load(&(overrides_t){.file = file}, errors, &exit_status);
    bool good = config != NULL && lint(config, file, metrics, errors);
    fclose(errors);
    if (metrics == NULL || metrics->status == 0) {
        if (output_of(call) != OUTPUT_TABLE)
            show_data(call, file, lines);
        else if (good)
            show_good(config, file);
        else
            fputs(lines, stdout);
    }
    free(lines);
    config_destroy(&config);
    return metrics != NULL && metrics->status != 0 ? metrics->status : good ? 0 : EX_DATAERR;
}

/*  A broker that is named is asked which metrics there are; without one, any may come. */
int policy_check_run(const call_t *call)
{
    session_t session;
    policy_metrics_t metrics = {.session = &session};
    int status = session_open(&session, call);
    if (status == 0)
        status = check(call, call_has(call, OPT_ENDPOINT) ? &metrics : NULL);
    session_close(&session);
    return status;
}
