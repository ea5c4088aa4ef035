/*  The actor between a real CURVE server and real clients, and a directory that changes under it.
 */
#include "broker/access_actor.h"
#include "broker/access_curve.h"
#include "broker/log.h"
#include "broker/mail.h"
#include "tests/broker/keys.h"
#include "tests/check.h"

/* The longest a wait lasts, and how long nothing must happen. */
#define PATIENCE_MS 10000
#define SILENCE_MS 300

static folder_t folder;
static pair_t server_pair, known, stranger;
static access_counts_t counts;
static zactor_t *actor;
static zsock_t *server;
static char address[256];

static network_t loopback(void)
{
    network_t network;
    size_t wrong;
    const text_t allow[] = {TEXT_OF("127.0.0.0/8")};
    assert_true(network_init(&network, (texts_t){allow, 1}, (texts_t){NULL, 0}, &wrong));
    return network;
}

static void start_actor(void)
{
    access_actor_t *given = memory_new(1, sizeof *given);
    given->directory = strdup(folder.path);
    given->keys = access_keys_load(folder.path, 1e9, stderr);
    given->network = loopback();
    given->counts = &counts;
    actor = zactor_new(access_actor, given);
}

static int set_up(void **state)
{
    (void)state;
    folder = folder_new();
    server_pair = pair_new();
    known = pair_new();
    stranger = pair_new();
    memset(&counts, 0, sizeof counts);
    folder_put_key(&folder, "known", &known, "producer", "");
    start_actor();
    server = zsock_new(ZMQ_PULL);
    assert_true(access_curve_guard(server, server_pair.secret_key));
    zsock_set_rcvtimeo(server, PATIENCE_MS);
    assert_true(zsock_bind(server, "tcp://127.0.0.1:*") > 0);
    char *bound = zsock_last_endpoint(server);
    snprintf(address, sizeof address, "%s", bound);
    freen(bound);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    zsock_destroy(&server);
    zactor_destroy(&actor);
    folder_destroy(&folder);
    return 0;
}

static zsock_t *client(const pair_t *pair)
{
    zsock_t *self = zsock_new(ZMQ_PUSH);
    zsock_set_linger(self, 0);
    if (pair != NULL) {
        zsock_set_curve_serverkey(self, server_pair.public_key);
        zsock_set_curve_publickey(self, pair->public_key);
        zsock_set_curve_secretkey(self, pair->secret_key);
    }
    assert_int_equal(zsock_connect(self, "%s", address), 0);
    return self;
}

/*  Does a message of that peer arrive, and under which name? NULL: it does not. */
static const char *name_of(const pair_t *pair, int patience_ms)
{
    static char name[64];
    zsock_t *socket = client(pair);
    zsock_set_sndtimeo(socket, patience_ms);
    zsock_set_rcvtimeo(server, patience_ms);
    zstr_send(socket, "hello");
    zframe_t *frame = zframe_recv(server);
    const char *meta = frame == NULL ? NULL : zframe_meta(frame, "User-Id");
    snprintf(name, sizeof name, "%s", meta == NULL ? "" : meta);
    bool arrived = frame != NULL;
    zframe_destroy(&frame);
    zsock_destroy(&socket);
    return arrived ? name : NULL;
}

static void test_access_actor__a_message_bears_the_key_of_its_sender(void **state)
{
    (void)state;
    assert_string_equal(name_of(&known, PATIENCE_MS), known.public_key);
    assert_int_equal(atomic_load(&counts.verdicts[ZAP_WELCOME]), 1);
}

static void test_access_actor__strangers_and_plain_clients_do_not_come_in(void **state)
{
    (void)state;
    assert_null(name_of(&stranger, SILENCE_MS));
    assert_true(atomic_load(&counts.verdicts[ZAP_KEY_UNKNOWN]) > 0);
    assert_null(name_of(NULL, SILENCE_MS));
    assert_non_null(name_of(&known, PATIENCE_MS));
}

/*  The next keys the actor tells. */
static access_keys_t *told(void)
{
    zsock_set_rcvtimeo(zactor_sock(actor), PATIENCE_MS);
    zmsg_t *mail = zmsg_recv(zactor_sock(actor));
    assert_non_null(mail);
    assert_int_equal(mail_open(mail), MAIL_KEYS);
    access_keys_t *keys;
    mail_take_struct(mail, &keys, sizeof keys);
    zmsg_destroy(&mail);
    return keys;
}

static void test_access_actor__a_new_key_comes_in_and_a_removed_one_does_not(void **state)
{
    (void)state;
    folder_put_key(&folder, "stranger", &stranger, "producer", "");
    access_keys_t *keys = told();
    assert_non_null(access_keys_find(keys, stranger.public_key));
    access_keys_destroy(&keys);
    assert_non_null(name_of(&stranger, PATIENCE_MS));
    folder_remove(&folder, "known.yaml");
    keys = told();
    assert_null(access_keys_find(keys, known.public_key));
    access_keys_destroy(&keys);
    assert_null(name_of(&known, SILENCE_MS));
}

static void test_access_actor__a_change_of_the_same_size_in_the_same_second_is_seen(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        folder_put_key(&folder, "known", &known, "producer",
                       i % 2 == 0 ? "write: [aa]\n" : "write: [bb]\n");
        access_keys_t *keys = told();
        assert_text(access_keys_find(keys, known.public_key)->write.items[0],
                    i % 2 == 0 ? "aa" : "bb");
        access_keys_destroy(&keys);
    }
}

static void test_access_actor__a_key_ends_by_itself(void **state)
{
    (void)state;
    char more[64];
    double end_s = (double)time(NULL) + 2;
    snprintf(more, sizeof more, "expires: %.1f\n", end_s);
    folder_put_key(&folder, "stranger", &stranger, "producer", more);
    access_keys_t *keys = told();
    assert_non_null(access_keys_find(keys, stranger.public_key));
    access_keys_destroy(&keys);
    keys = told();
    assert_null(access_keys_find(keys, stranger.public_key));
    access_keys_destroy(&keys);
    assert_true((double)time(NULL) - end_s <= 1);
}

static void test_access_actor__new_address_rules_hold_for_the_next_connection(void **state)
{
    (void)state;
    network_t nobody = {.count = 0};
    zmsg_t *mail = mail_new(MAIL_NETWORK);
    mail_add(mail, &nobody, sizeof nobody);
    mail_send(&mail, zactor_sock(actor));
    while (atomic_load(&counts.verdicts[ZAP_ADDRESS_REFUSED]) == 0)
        if (name_of(&known, SILENCE_MS) != NULL)
            assert_true(atomic_load(&counts.verdicts[ZAP_WELCOME]) < 100);
    assert_null(name_of(&known, SILENCE_MS));
}

static void test_access_actor__nobody_comes_in_when_it_is_dead(void **state)
{
    (void)state;
    zactor_destroy(&actor);
    assert_null(name_of(&known, SILENCE_MS));
    start_actor();
    assert_non_null(name_of(&known, PATIENCE_MS));
}

/*  A handler that takes requests and never answers. */
static void test_access_actor__nobody_comes_in_when_it_is_stuck(void **state)
{
    (void)state;
    zactor_destroy(&actor);
    zsock_t *stuck = zsock_new(ZMQ_REP);
    /* the address is free once ZeroMQ has closed the actor's socket, a moment later */
    for (int i = 0; zsock_bind(stuck, "inproc://zeromq.zap.01") < 0; i++) {
        assert_true(i < PATIENCE_MS);
        zclock_sleep(1);
    }
    assert_null(name_of(&known, SILENCE_MS));
    zsock_set_rcvtimeo(stuck, PATIENCE_MS);
    zmsg_t *request = zmsg_recv(stuck);
    assert_non_null(request); /* it was asked, and nobody came in */
    zmsg_destroy(&request);
    zsock_destroy(&stuck);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_access_actor__a_message_bears_the_key_of_its_sender),
        TEST(test_access_actor__strangers_and_plain_clients_do_not_come_in),
        TEST(test_access_actor__a_new_key_comes_in_and_a_removed_one_does_not),
        TEST(test_access_actor__a_change_of_the_same_size_in_the_same_second_is_seen),
        TEST(test_access_actor__a_key_ends_by_itself),
        TEST(test_access_actor__new_address_rules_hold_for_the_next_connection),
        TEST(test_access_actor__nobody_comes_in_when_it_is_dead),
        TEST(test_access_actor__nobody_comes_in_when_it_is_stuck),
    };
    zsys_init();
    zsys_handler_set(NULL);
    log_setup(LEVEL_ERROR, FORMAT_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
