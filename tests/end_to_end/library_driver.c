/*  What a test of the library against a real broker lets run: it ends when its input does.
 *
 *      library_driver emit METRICS REQUESTS INCIDENTS   pushes events that make every family speak
 *      library_driver values METRICS                    pushes the same values twice: each by
 * itself as alone_KIND, put together as together_KIND library_driver listen EVENTS CONTROL prints
 * "FAMILY SEQ TYPE LOST" of each publication there is, from the first on library_driver command
 * CONTROL                   opens incidents one after the other, prints "TITLE INCIDENT" of each
 * that is answered
 */
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <tocsin.h>

/*  Has the input ended, after waiting so long for it? */
static bool is_told_to_end(int wait_ms)
{
    struct pollfd input = {.fd = 0, .events = POLLIN};
    return poll(&input, 1, wait_ms) != 0;
}

static int emit(char **addresses)
{
    tocsin_emitter_t *emitter = tocsin_emitter_new(&(tocsin_emitter_options_t){
        .metrics = addresses[0], .requests = addresses[1], .incidents = addresses[2]});
    if (emitter == NULL)
        return 1;
    tocsin_aggregate(emitter, "turns");
    for (unsigned turn = 0; !is_told_to_end(2); turn++) {
        bool is_bad = turn / 50 % 2 == 1;
        tocsin_metric(emitter, "turns", TOCSIN_COUNTER, 1, NULL);
        tocsin_metric(emitter, "heat", TOCSIN_GAUGE, is_bad ? 90 : 10 + turn % 3, NULL);
        tocsin_request(emitter, "work", 0.01, "postgresql", is_bad ? "refused" : NULL, NULL);
        if (turn % 40 == 0)
            tocsin_incident(emitter, "pushed", "low", NULL);
    }
    tocsin_flush(emitter, 10);
    tocsin_emitter_destroy(&emitter);
    return 0;
}

/*  A value of a sequence that looks like measurements: fractions, repetitions, some far away. */
static double value_at(unsigned turn)
{
    double value = (double)(turn * 2654435761u % 1000) / 7.0;
    return turn % 97 == 0 ? value * 1e6 : value;
}

static int push_values(char **addresses)
{
    static const char *const hosts[] = {"a", "b", "c"};
    tocsin_emitter_t *emitter = tocsin_emitter_new(&(tocsin_emitter_options_t){
        .metrics = addresses[0], .queue_bytes = 256u << 20, .aggregate_age = 0.01});
    if (emitter == NULL)
        return 1;
    tocsin_aggregate(emitter, "together_counter");
    tocsin_aggregate(emitter, "together_gauge");
    tocsin_aggregate(emitter, "together_histogram");
    for (unsigned turn = 0; turn < 20000; turn++) {
        double value = value_at(turn);
        const char *host = hosts[turn % 3];
        tocsin_metric(emitter, "alone_counter", TOCSIN_COUNTER, value, "host", host, NULL);
        tocsin_metric(emitter, "together_counter", TOCSIN_COUNTER, value, "host", host, NULL);
        tocsin_metric(emitter, "alone_gauge", TOCSIN_GAUGE, value, "host", host, NULL);
        tocsin_metric(emitter, "together_gauge", TOCSIN_GAUGE, value, "host", host, NULL);
        tocsin_metric(emitter, "alone_histogram", TOCSIN_HISTOGRAM, value, "host", host, NULL);
        tocsin_metric(emitter, "together_histogram", TOCSIN_HISTOGRAM, value, "host", host, NULL);
    }
    tocsin_status_t status = tocsin_flush(emitter, 20);
    uint64_t dropped = tocsin_dropped(emitter);
    tocsin_emitter_destroy(&emitter);
    return status == TOCSIN_OK && dropped == 0 ? 0 : 1;
}

static int listen_to(char **addresses)
{
    tocsin_subscriber_t *subscriber = tocsin_subscriber_new(&(tocsin_subscriber_options_t){
        .events = addresses[0], .control = addresses[1], .replay = true});
    if (subscriber == NULL)
        return 1;
    while (!is_told_to_end(0)) {
        tocsin_publication_t heard;
        tocsin_status_t status = tocsin_receive(subscriber, &heard, 0.1);
        if (status == TOCSIN_OK) {
            printf("%s %llu %s %llu\n", heard.family, (unsigned long long)heard.seq, heard.type,
                   (unsigned long long)heard.lost);
            fflush(stdout);
        } else if (status != TOCSIN_TIMEOUT) {
            fprintf(stderr, "listen: %s\n", tocsin_status_text(status));
            return 1;
        }
    }
    tocsin_subscriber_destroy(&subscriber);
    return 0;
}

static int command(char **addresses)
{
    tocsin_commander_t *commander = tocsin_commander_new(addresses[0], 30);
    if (commander == NULL)
        return 1;
    for (unsigned number = 1; !is_told_to_end(5); number++) {
        char title[32], id[32];
        tocsin_reply_t *reply;
        snprintf(title, sizeof title, "command-%u", number);
        tocsin_status_t status =
            tocsin_ask(commander, &reply, "incident.open", "title:s severity:s", title, "low");
        if (status != TOCSIN_OK) {
            fprintf(stderr, "command: %s\n", tocsin_commander_error(commander));
            return 1;
        }
        tocsin_value_t incident = tocsin_value_of(tocsin_reply_result(reply), "incident");
        printf("%s %s\n", title, tocsin_value_copy(incident, id, sizeof id));
        fflush(stdout);
        tocsin_reply_destroy(&reply);
    }
    tocsin_commander_destroy(&commander);
    return 0;
}

int main(int count, char **arguments)
{
    if (count == 5 && strcmp(arguments[1], "emit") == 0)
        return emit(arguments + 2);
    if (count == 3 && strcmp(arguments[1], "values") == 0)
        return push_values(arguments + 2);
    if (count == 4 && strcmp(arguments[1], "listen") == 0)
        return listen_to(arguments + 2);
    if (count == 3 && strcmp(arguments[1], "command") == 0)
        return command(arguments + 2);
    fprintf(stderr, "usage: library_driver emit|values|listen|command ADDRESS...\n");
    return 64;
}
