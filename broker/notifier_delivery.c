#include "broker/notifier_delivery.h"

#include "broker/address.h"
#include "broker/clock.h"
#include "broker/notifier_body.h"
#include "broker/notifier_exec.h"
#include "broker/version.h"
#include "proto/must.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CONNECT_TIMEOUT_MS 3000L
#define ANSWER_BYTES 65536u

/* Of an answer this much is shown to people. */
#define SHOWN_BYTES 160u

struct delivery {
    CURLM *multi;
    CURL *easy; /* NULL: a process, or nothing was begun */
    struct curl_slist *headers, *recipients;
    curl_mime *mime;
    char *body;
    bool allow_private, forbidden, is_mail;
    size_t answer_bytes, header_bytes, shown_bytes;
    char shown[SHOWN_BYTES + 1];
    exec_t exec;
    bool is_running; /* the process */
    int64_t deadline_ns;
    bool ended;
    delivery_result_t result;
};

static void end(delivery_t *self, outcome_t outcome, long status, const char *words)
{
    self->ended = true;
    self->result.outcome = outcome;
    self->result.status = status;
    snprintf(self->result.words, sizeof self->result.words, "%s", words);
    for (char *c = self->result.words; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
            *c = ' ';
}

/* -- what curl asks -- */

/*  Beyond the bound the transfer is ended; what it was about is known by then. */
static size_t take_answer(char *data, size_t size, size_t count, void *context)
{
    delivery_t *self = context;
    size *= count;
    for (size_t i = 0; i < size && self->shown_bytes < SHOWN_BYTES; i++)
        self->shown[self->shown_bytes++] = data[i];
    self->answer_bytes += size;
    return self->answer_bytes > ANSWER_BYTES ? 0 : size;
}

static size_t take_header(char *data, size_t size, size_t count, void *context)
{
    (void)data;
    delivery_t *self = context;
    self->header_bytes += size * count;
    return self->header_bytes > ANSWER_BYTES ? 0 : size * count;
}

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    delivery_t *self = context;
    if (purpose != CURLSOCKTYPE_IPCXN ||
        (!self->allow_private && !address_is_public(&address->addr))) {
        self->forbidden = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* -- what is sent -- */

static void add_header(delivery_t *self, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add_header(delivery_t *self, const char *format, ...)
{
    char line[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    self->headers = curl_slist_append(self->headers, line);
    must(self->headers != NULL);
}

/*  HMAC-SHA256 of TIMESTAMP.BODY: whoever has the key knows who sent it, and when. */
static bool sign(delivery_t *self, const channel_t *channel, long long now_s)
{
    char secret[CHANNEL_SECRET_MAX], hex[2 * EVP_MAX_MD_SIZE + 1] = "";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (channel->secret_file.data == NULL)
        return true;
    if (!channel_read_secret(channel->secret_file, secret, sizeof secret))
        return false;
    size_t length = strlen(self->body) + 32;
    char *message = memory_new(1, length);
    int used = snprintf(message, length, "%lld.%s", now_s, self->body);
    HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)message, (size_t)used,
         digest, &size);
    free(message);
    explicit_bzero(secret, sizeof secret);
    for (unsigned i = 0; i < size; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    add_header(self, "X-Tocsin-Signature: sha256=%s", hex);
    return true;
}

static bool make_body(delivery_t *self, const channel_t *channel,
                      const notification_t *notification, const char *source)
{
    char key[CHANNEL_SECRET_MAX] = "";
    if (channel_type(channel) == CHANNEL_PAGERDUTY &&
        !channel_read_secret(channel->routing_key_file, key, sizeof key))
        return false;
    self->body = body_json(channel, notification, clock_now().wall_s, key, source);
    explicit_bzero(key, sizeof key);
    return true;
}

static bool fill_post(delivery_t *self, const channel_t *channel,
                      const notification_t *notification, const char *source)
{
    long long now_s = (long long)time(NULL);
    if (!make_body(self, channel, notification, source)) {
        end(self, OUTCOME_UNREACHED, 0, "cannot read routing_key_file");
        return false;
    }
    add_header(self, "Content-Type: application/json");
    add_header(self, "Expect:");
    add_header(self, "Idempotency-Key: %.*s", (int)notification->key.size, notification->key.data);
    add_header(self, "X-Tocsin-Timestamp: %lld", now_s);
    if (!sign(self, channel, now_s)) {
        end(self, OUTCOME_UNREACHED, 0, "cannot read secret_file");
        return false;
    }
    curl_easy_setopt(self->easy, CURLOPT_POSTFIELDS, self->body);
    return true;
}

static void add_part(curl_mime *mime, const char *text, const char *type)
{
    curl_mimepart *part = curl_mime_addpart(mime);
    curl_mime_data(part, text, CURL_ZERO_TERMINATED);
    curl_mime_type(part, type);
    curl_mime_encoder(part, "quoted-printable");
}

static void fill_mail(delivery_t *self, const channel_t *channel,
                      const notification_t *notification)
{
    body_mail_t mail;
    char date[64], to[1024] = "";
    struct tm parts;
    time_t now = time(NULL);
    body_mail(channel, notification, &mail);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", gmtime_r(&now, &parts));
    for (size_t i = 0; i < channel->to.count; i++) {
        char address[512];
        size_t used = strlen(to);
        snprintf(address, sizeof address, "<%.*s>", (int)channel->to.items[i].size,
                 channel->to.items[i].data);
        self->recipients = curl_slist_append(self->recipients, address);
        snprintf(to + used, sizeof to - used, "%s%s", i == 0 ? "" : ", ", address);
    }
    char from[512];
    snprintf(from, sizeof from, "<%.*s>", (int)channel->from.size, channel->from.data);
    add_header(self, "From: %s", from);
    add_header(self, "To: %s", to);
    add_header(self, "%s", mail.subject);
    add_header(self, "Date: %s", date);
    add_header(self, "Message-ID: <%.*s@tocsin>", (int)notification->key.size,
               notification->key.data);
    add_header(self, "Auto-Submitted: auto-generated");
    curl_mime *both = curl_mime_init(self->easy);
    add_part(both, mail.plain, "text/plain; charset=utf-8");
    add_part(both, mail.html, "text/html; charset=utf-8");
    self->mime = curl_mime_init(self->easy);
    curl_mimepart *part = curl_mime_addpart(self->mime);
    curl_mime_subparts(part, both);
    curl_mime_type(part, "multipart/alternative");
    curl_easy_setopt(self->easy, CURLOPT_MAIL_FROM, from);
    curl_easy_setopt(self->easy, CURLOPT_MAIL_RCPT, self->recipients);
    curl_easy_setopt(self->easy, CURLOPT_MIMEPOST, self->mime);
    curl_easy_setopt(self->easy, CURLOPT_USE_SSL,
                     (long)(text_is(channel->tls, "never") ? CURLUSESSL_NONE : CURLUSESSL_ALL));
    body_mail_free(&mail);
}

static void set_bounds(delivery_t *self, const char *url)
{
    CURL *easy = self->easy;
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, self);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, self->is_mail ? "smtp,smtps" : "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* a name that hangs is not waited for */
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, DELIVERY_TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, self);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, self);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, self);
    /* a connection that another channel may have opened was checked by the other's rules */
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* whatever the environment says */
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "tocsin/" TOCSIN_VERSION);
}

/*  Certificates are checked in any case; whose, may be chosen. */
static void trust(delivery_t *self, const channel_t *channel)
{
    char path[4096];
    if (channel->ca_file.data == NULL || channel->ca_file.size >= sizeof path)
        return;
    snprintf(path, sizeof path, "%.*s", (int)channel->ca_file.size, channel->ca_file.data);
    curl_easy_setopt(self->easy, CURLOPT_CAINFO, path);
    curl_easy_setopt(self->easy, CURLOPT_CAPATH, NULL);
}

static void begin_transfer(delivery_t *self, const channel_t *channel,
                           const notification_t *notification, const char *source)
{
    char url[CHANNEL_SECRET_MAX];
    if (!channel_url(channel, url, sizeof url)) {
        end(self, OUTCOME_UNREACHED, 0, "cannot read url_file, or it holds no address to send to");
        return;
    }
    self->easy = curl_easy_init();
    must(self->easy != NULL);
    set_bounds(self, url);
    trust(self, channel);
    explicit_bzero(url, sizeof url);
    if (self->is_mail)
        fill_mail(self, channel, notification);
    else if (!fill_post(self, channel, notification, source))
        return;
    curl_easy_setopt(self->easy, CURLOPT_HTTPHEADER, self->headers);
    must(curl_multi_add_handle(self->multi, self->easy) == CURLM_OK);
}

static void begin_process(delivery_t *self, const channel_t *channel,
                          const notification_t *notification, const char *source)
{
    self->body = body_json(channel, notification, clock_now().wall_s, NULL, source);
    self->is_running = exec_start(&self->exec, channel->command, self->body);
    if (!self->is_running)
        end(self, OUTCOME_UNREACHED, 0, strerror(errno));
}

delivery_t *delivery_new(CURLM *multi, const channel_t *channel, const notification_t *notification,
                         const char *source)
{
    delivery_t *self = memory_new(1, sizeof *self);
    self->multi = multi;
    self->allow_private = channel->allow_private;
    self->is_mail = channel_type(channel) == CHANNEL_EMAIL;
    self->deadline_ns = clock_now().mono_ns + DELIVERY_TIMEOUT_MS * INT64_C(1000000);
    if (channel_type(channel) == CHANNEL_EXEC)
        begin_process(self, channel, notification, source);
    else
        begin_transfer(self, channel, notification, source);
    return self;
}

void delivery_destroy(delivery_t **self_p)
{
    delivery_t *self = *self_p;
    if (self == NULL)
        return;
    if (self->is_running)
        exec_kill(&self->exec);
    if (self->easy != NULL) {
        curl_multi_remove_handle(self->multi, self->easy);
        curl_easy_cleanup(self->easy);
    }
    curl_mime_free(self->mime);
    curl_slist_free_all(self->headers);
    curl_slist_free_all(self->recipients);
    free(self->body);
    free(self);
    *self_p = NULL;
}

/* -- what came back -- */

/*  Of an answer that came whole. */
static outcome_t judge_http(long status)
{
    if (status >= 200 && status < 300)
        return OUTCOME_DELIVERED;
    return status == 408 || status == 429 || status >= 500 ? OUTCOME_FAILED : OUTCOME_REFUSED;
}

/*  5yz is final, 4yz is not (RFC 5321, 4.2.1). */
static outcome_t judge_smtp(CURLcode code, long status)
{
    if (code == CURLE_OK)
        return OUTCOME_DELIVERED;
    return status >= 500 && status < 600 ? OUTCOME_REFUSED : OUTCOME_FAILED;
}

/*  Did it end before anything could be said? */
static bool was_unreached(const delivery_t *self, CURLcode code)
{
    switch ((int)code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_USE_SSL_FAILED:
        return true;
    default:
        break;
    }
    double before_transfer = 0;
    curl_easy_getinfo(self->easy, CURLINFO_PRETRANSFER_TIME, &before_transfer);
    return code == CURLE_OPERATION_TIMEDOUT && before_transfer == 0;
}

static outcome_t judge(const delivery_t *self, CURLcode code, long status)
{
    bool over_the_bound = code == CURLE_WRITE_ERROR && status != 0;
    if (self->forbidden)
        return OUTCOME_REFUSED;
    if (was_unreached(self, code))
        return OUTCOME_UNREACHED;
    if (self->is_mail)
        return judge_smtp(code, status);
    return code == CURLE_OK || over_the_bound ? judge_http(status) : OUTCOME_FAILED;
}

delivery_t *delivery_of(CURL *easy, CURLcode code)
{
    delivery_t *self = NULL;
    long status = 0;
    curl_off_t retry_after = 0;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &self);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_after);
    outcome_t outcome = judge(self, code, status);
    if (self->forbidden)
        end(self, outcome, status, "the address is not public, and allow_private is not set");
    else if (code != CURLE_OK && code != CURLE_WRITE_ERROR)
        end(self, outcome, status, curl_easy_strerror(code));
    else
        end(self, outcome, status, self->shown);
    if (outcome == OUTCOME_FAILED)
        self->result.retry_after_s = (double)retry_after;
    return self;
}

static void end_process(delivery_t *self, int status)
{
    char words[64];
    self->is_running = false;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        end(self, OUTCOME_DELIVERED, 0, "exit status 0");
        return;
    }
    snprintf(words, sizeof words, "%s %d", WIFEXITED(status) ? "exit status" : "ended by signal",
             WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    end(self, OUTCOME_FAILED, WIFEXITED(status) ? WEXITSTATUS(status) : 0, words);
}

int delivery_fd(const delivery_t *self)
{
    return self->is_running ? self->exec.fd : -1;
}

const delivery_result_t *delivery_result(delivery_t *self)
{
    int status;
    if (self->is_running && exec_has_ended(&self->exec, &status)) {
        end_process(self, status);
    } else if (self->is_running && clock_now().mono_ns > self->deadline_ns) {
        exec_kill(&self->exec);
        self->is_running = false;
        end(self, OUTCOME_FAILED, 0, "it took too long and was killed");
    }
    return self->ended ? &self->result : NULL;
}
