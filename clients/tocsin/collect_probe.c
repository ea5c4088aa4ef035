#include "clients/tocsin/collect_probe.h"

#include "proto/must.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    char *name;
    char *url;
    bool connect_only;
    CURL *transfer; /* NULL: none is under way */
    char error[CURL_ERROR_SIZE];
} probe_t;

struct probes {
    CURLM *multi;
    probe_t *items;
    size_t count;
};

/* -- life -- */

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/*  The wire of tcp:// is curl's "connect only"; the protocol that it would speak is never spoken.
 */
static char *url_for_curl(const char *url)
{
    const char *rest = begins(url, "tcp://") ? url + strlen("tcp://") : NULL;
    size_t size = strlen(url) + sizeof "http://";
    char *copy = memory_new(size, 1);
    snprintf(copy, size, "%s%s", rest == NULL ? "" : "http://", rest == NULL ? url : rest);
    return copy;
}

/*  Is it a URL, and does it name a port where no protocol would? */
static bool is_good(const char *url, bool port_needed)
{
    CURLU *parsed = curl_url();
    char *port = NULL;
    must(parsed != NULL);
    bool good = curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK;
    if (good && port_needed)
        good = curl_url_get(parsed, CURLUPART_PORT, &port, 0) == CURLUE_OK;
    curl_free(port);
    curl_url_cleanup(parsed);
    return good;
}

static bool read_probe(probe_t *self, const char *given)
{
    size_t size = strcspn(given, "=");
    const char *url = given + size + 1;
    self->name = memory_copy(given, size + 1);
    self->name[size] = '\0';
    self->connect_only = begins(url, "tcp://");
    self->url = url_for_curl(url);
    return (self->connect_only || begins(url, "http://") || begins(url, "https://")) &&
           is_good(self->url, self->connect_only);
}

probes_t *probes_new(const call_t *call)
{
    probes_t *self = memory_new(1, sizeof *self);
    const char *given;
    must(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    self->multi = curl_multi_init();
    must(self->multi != NULL);
    self->items = memory_new(call->given_count + 1, sizeof *self->items);
    for (size_t at = 0; (given = call_next(call, OPT_PROBE, &at)) != NULL;)
        if (!read_probe(&self->items[self->count++], given)) {
            fprintf(stderr,
                    "tocsin: --probe %s: expected NAME=tcp://HOST:PORT or NAME=http://...\n",
                    given);
            probes_destroy(&self);
            return NULL;
        }
    return self;
}

static void end_transfer(probes_t *self, probe_t *probe)
{
    if (probe->transfer == NULL)
        return;
    curl_multi_remove_handle(self->multi, probe->transfer);
    curl_easy_cleanup(probe->transfer);
    probe->transfer = NULL;
}

void probes_destroy(probes_t **self)
{
    probes_t *probes = *self;
    if (probes == NULL)
        return;
    *self = NULL;
    for (size_t i = 0; i < probes->count; i++) {
        end_transfer(probes, &probes->items[i]);
        free(probes->items[i].name);
        free(probes->items[i].url);
    }
    free(probes->items);
    curl_multi_cleanup(probes->multi);
    curl_global_cleanup();
    free(probes);
}

/* -- asking -- */

static size_t discard(char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes;
    (void)context;
    return size * count;
}

static void begin_transfer(probes_t *self, probe_t *probe)
{
    CURL *transfer = curl_easy_init();
    must(transfer != NULL);
    curl_easy_setopt(transfer, CURLOPT_URL, probe->url);
    curl_easy_setopt(transfer, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(transfer, CURLOPT_CONNECT_ONLY, probe->connect_only ? 1L : 0L);
    curl_easy_setopt(transfer, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(transfer, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(transfer, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(transfer, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(transfer, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(transfer, CURLOPT_TIMEOUT, (long)PROBE_S);
    curl_easy_setopt(transfer, CURLOPT_USERAGENT, "tocsin-collect");
    curl_easy_setopt(transfer, CURLOPT_WRITEFUNCTION, discard);
    curl_easy_setopt(transfer, CURLOPT_ERRORBUFFER, probe->error);
    curl_easy_setopt(transfer, CURLOPT_PRIVATE, probe);
    probe->error[0] = '\0';
    probe->transfer = transfer;
    must(curl_multi_add_handle(self->multi, transfer) == CURLM_OK);
}

void probes_begin(probes_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->items[i].transfer == NULL)
            begin_transfer(self, &self->items[i]);
}

static void end_probe(probes_t *self, CURL *transfer, CURLcode result, probe_taker_t *take,
                      void *context)
{
    char *private = NULL;
    double duration_s = 0;
    must(curl_easy_getinfo(transfer, CURLINFO_PRIVATE, &private) == CURLE_OK);
    probe_t *probe = (probe_t *)(void *)private;
    curl_easy_getinfo(transfer, CURLINFO_TOTAL_TIME, &duration_s);
    const char *words = probe->error[0] != '\0' ? probe->error : curl_easy_strerror(result);
    take(context, probe->name, duration_s, result == CURLE_OK ? NULL : words);
    end_transfer(self, probe);
}

void probes_wait(probes_t *self, int wait_ms, probe_taker_t *take, void *context)
{
    int running, left;
    CURLMsg *message;
    curl_multi_poll(self->multi, NULL, 0, wait_ms, NULL);
    curl_multi_perform(self->multi, &running);
    while ((message = curl_multi_info_read(self->multi, &left)) != NULL)
        if (message->msg == CURLMSG_DONE)
            end_probe(self, message->easy_handle, message->data.result, take, context);
}
