#include "clients/tocsin/options.h"

#include "clients/tocsin/bench.h"
#include "clients/tocsin/values.h"
#include "proto/schema.h"

#include <math.h>
#include <string.h>

static const char *const output_words[] = {"table", "json", "jsonl", "csv", NULL};
static const char *const status_filter_words[] = {"open",     "new",    "investigating",
                                                  "resolved", "closed", NULL};
static const char *const key_role_words[] = {"producer", "subscriber", "operator",
                                             "admin",    "server",     NULL};
static const char *const family_words[] = {"anomaly",  "slo",       "dependency", "alert",
                                           "incident", "heartbeat", NULL};

static const char *const until_words[] = {"resolved", NULL};

const option_t options[OPTION_ROWS] = {
    [OPT_ENDPOINT] = {"endpoint", 'e', "NAME=ADDRESS", OPTION_PAIRS, NULL, NULL,
                      "Where the broker is: control, metrics, requests, incidents or events; "
                      "what is not named is asked of the broker at control"},
    [OPT_OUTPUT] = {"output", 'o', "FORMAT", OPTION_WORD, NULL, output_words,
                    "table (for people, the default), json, jsonl or csv"},
    [OPT_BY] = {"by", 0, "NAME", OPTION_TEXT, NULL, NULL,
                "Who acts, for the record; otherwise the name of the user"},
    [OPT_TIMEOUT] = {"timeout", 0, "SECONDS", OPTION_DURATION, NULL, NULL,
                     "How long an answer may take; otherwise 5 s"},
    [OPT_HELP] = {"help", 'h', NULL, OPTION_FLAG, NULL, NULL,
                  "Explain the command, or all of them"},
    [OPT_VERSION] = {"version", 'V', NULL, OPTION_FLAG, NULL, NULL, "Print the version"},
    [OPT_LABEL] = {"label", 'l', "NAME=VALUE", OPTION_PAIRS, "labels", NULL,
                   "A label; may be given again"},
    [OPT_PREFIX] = {"prefix", 0, "TEXT", OPTION_TEXT, "prefix", NULL, "Only names that begin so"},
    [OPT_LIMIT] = {"limit", 'n', "N", OPTION_COUNT, NULL, NULL, "At most N; otherwise all"},
    [OPT_INCIDENT_STATUS] = {"status", 0, "STATUS", OPTION_WORD, "status", status_filter_words,
                             "Only in this status; open: neither resolved nor closed"},
    [OPT_STATUS] = {"status", 0, "STATUS", OPTION_WORD, "status", incident_status_words,
                    "The new status: investigating, resolved or closed"},
    [OPT_SEVERITY] = {"severity", 0, "SEVERITY", OPTION_WORD, "severity", severity_words,
                      "critical, high, medium or low"},
    [OPT_SYSTEM_FILTER] = {"system", 0, "NAME", OPTION_TEXT, "system", NULL,
                           "Only what concerns this system"},
    [OPT_SYSTEM] = {"system", 0, "NAME", OPTION_TEXTS, "systems", NULL,
                    "A system that is concerned; may be given again"},
    [OPT_STATE] = {"state", 0, "STATE", OPTION_WORD, "state", alert_state_words,
                   "Only in this state; otherwise every active one"},
    [OPT_POLICY] = {"policy", 0, "NAME", OPTION_TEXT, "policy", NULL, "Only of this policy"},
    [OPT_SINCE] = {"since", 0, "TIME", OPTION_TIME, "since", NULL,
                   "Nothing older: Unix seconds, 2026-11-25T17:00:00Z, or how long ago (2h)"},
    [OPT_TITLE] = {"title", 0, "TEXT", OPTION_TEXT, "title", NULL, "A new title"},
    [OPT_DESCRIPTION] = {"description", 0, "TEXT", OPTION_TEXT, "description", NULL,
                         "What is known"},
    [OPT_KEY] = {"key", 0, "TEXT", OPTION_TEXT, "key", NULL,
                 "While one with this key is unclosed, no other is opened"},
    [OPT_RUNBOOK] = {"runbook", 0, "NAME", OPTION_TEXT, "runbook", NULL, "What to do about it"},
    [OPT_ROOT_CAUSE] = {"root-cause", 0, "TEXT", OPTION_TEXT, "root_cause", NULL,
                        "Why it happened"},
    [OPT_RESOLUTION] = {"resolution", 0, "TEXT", OPTION_TEXT, "resolution", NULL,
                        "What was done about it"},
    [OPT_OWNER] = {"owner", 0, "NAME", OPTION_TEXT, "owner", NULL, "Who takes care of it"},
    [OPT_MESSAGE] = {"message", 'm', "TEXT", OPTION_TEXT, "message", NULL, "What is wrong"},
    [OPT_NOTE] = {"note", 0, "TEXT", OPTION_TEXT, "note", NULL, "A note for the record"},
    [OPT_DURATION] = {"duration", 'd', "DURATION", OPTION_DURATION, "duration", NULL,
                      "For so long, from now on: 90, 30m, 2h"},
    [OPT_UNTIL] = {"until", 0, "TIME", OPTION_UNTIL, "until", until_words,
                   "Until then: Unix seconds, a date, or the word resolved"},
    [OPT_REASON] = {"reason", 0, "TEXT", OPTION_TEXT, "reason", NULL, "Why, for the record"},
    [OPT_FAMILY] = {"family", 0, "FAMILY", OPTION_WORDS, NULL, family_words,
                    "Only of this family; may be given again"},
    [OPT_TOPIC] = {"topic", 0, "PREFIX", OPTION_TEXT, NULL, NULL,
                   "Only topics that begin so: alert.critical."},
    [OPT_SEQ] = {"since", 0, "SEQ", OPTION_COUNT, NULL, NULL,
                 "First what was published after this number, of each family; 0: all"},
    [OPT_COUNT] = {"count", 'n', "N", OPTION_COUNT, NULL, NULL, "Stop after N"},
    [OPT_KIND] = {"kind", 'k', "KIND", OPTION_WORD, NULL, metric_kind_words,
                  "counter (the value is an increment), gauge or histogram"},
    [OPT_UNIT] = {"unit", 'u', "UNIT", OPTION_TEXT, NULL, NULL,
                  "seconds, bytes, ratio, percent, ..."},
    [OPT_DEPENDENCY] = {"dependency", 0, "NAME", OPTION_TEXT, NULL, NULL,
                        "The external system that served it"},
    [OPT_ERROR] = {"error", 0, NULL, OPTION_FLAG, NULL, NULL, "It failed"},
    [OPT_PROBE] = {"probe", 'p', "NAME=URL", OPTION_PAIRS, NULL, NULL,
                   "Ask after a dependency each second: db=tcp://127.0.0.1:5432, "
                   "site=http://127.0.0.1/; may be given again"},
    [OPT_TIMES] = {"times", 0, "N", OPTION_COUNT, NULL, NULL,
                   "How often the database fails; otherwise once, 0: until Ctrl-C"},
    [OPT_CASE] = {"case", 0, "NAME", OPTION_WORD, NULL, bench_cases,
                  "Only this case; otherwise all of them, which takes some minutes"},
    [OPT_ROUNDS] = {"rounds", 0, "N", OPTION_COUNT, NULL, NULL,
                    "Rounds of each case, 5 to 101; otherwise 7"},
    [OPT_SCALE] = {"scale", 0, "FACTOR", OPTION_NUMBER, NULL, NULL,
                   "Times the events of a round; otherwise 1"},
    [OPT_ROLE] = {"role", 0, "ROLE", OPTION_WORD, NULL, key_role_words,
                  "producer, subscriber, operator, admin; server: the broker's own key"},
    [OPT_WRITE] = {"write", 0, "PREFIX", OPTION_TEXTS, NULL, NULL,
                   "Names a producer may write begin so; may be given again; otherwise all"},
    [OPT_READ] = {"read", 0, "PREFIX", OPTION_TEXTS, NULL, NULL,
                  "Topics it may read begin so; may be given again; otherwise all"},
    [OPT_EXPIRES_IN] = {"expires-in", 0, "DURATION", OPTION_DURATION, NULL, NULL,
                        "It ends after so long: 90d; otherwise never"},
    [OPT_DIRECTORY] = {"directory", 0, "DIR", OPTION_TEXT, NULL, NULL,
                       "Where the files go; otherwise here"},
};

option_id_t option_named(option_set_t set, const char *name, size_t size)
{
    for (option_id_t id = 0; id < OPTION_ROWS; id++)
        if (option_in(set, id) && strlen(options[id].name) == size &&
            memcmp(options[id].name, name, size) == 0)
            return id;
    return OPTION_ROWS;
}

option_id_t option_lettered(option_set_t set, char letter)
{
    for (option_id_t id = 0; id < OPTION_ROWS; id++)
        if (option_in(set, id) && options[id].letter == letter && letter != 0)
            return id;
    return OPTION_ROWS;
}

static bool is_word(const char *const *words, const char *value)
{
    for (; *words != NULL; words++)
        if (strcmp(*words, value) == 0)
            return true;
    return false;
}

bool option_takes(option_id_t id, const char *value, const char **expected)
{
    const option_t *option = &options[id];
    uint64_t count;
    double number;
    *expected = option->about;
    switch (option->type) {
    case OPTION_FLAG:
        return value == NULL;
    case OPTION_WORD:
    case OPTION_WORDS:
        return is_word(option->words, value);
    case OPTION_PAIRS:
        *expected = option->value;
        return strchr(value, '=') != NULL && value[0] != '=';
    case OPTION_COUNT:
        *expected = "a whole number";
        return value_of_count(value, &count);
    case OPTION_NUMBER:
        *expected = "a number";
        return value_of_number(value, &number);
    case OPTION_DURATION:
        *expected = "seconds, or a duration like 250ms, 5m, 1h30m";
        return value_of_duration(value, &number);
    case OPTION_TIME:
        return value_of_time(value, 0, &number);
    case OPTION_UNTIL:
        return is_word(option->words, value) || value_of_date(value, &number);
    case OPTION_TEXT:
    case OPTION_TEXTS:
        return true;
    }
    return false;
}
