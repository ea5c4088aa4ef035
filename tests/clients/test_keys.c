#include "clients/libtocsin/keys.h"
#include "tests/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

static char path[64], text[512], public_key[41], secret_key[41], server_key[41];
static keys_t keys;

static void write_file(const char *content, mode_t mode)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
    chmod(path, mode);
}

static int set_up(void **state)
{
    (void)state;
    char unused[41];
    zmq_curve_keypair(public_key, secret_key);
    zmq_curve_keypair(server_key, unused);
    snprintf(path, sizeof path, "/tmp/tocsin-key-XXXXXX");
    close(mkstemp(path));
    snprintf(text, sizeof text, "# whose it is\nsecret_key: \"%s\"\npublic_key: \"%s\"\n",
             secret_key, public_key);
    write_file(text, 0600);
    setenv("TOCSIN_KEY", path, 1);
    setenv("TOCSIN_SERVER_KEY", server_key, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unsetenv("TOCSIN_KEY");
    unsetenv("TOCSIN_SERVER_KEY");
    return unlink(path);
}

/*  Nothing of a secret stays behind a refusal. */
static void assert_refused(const tocsin_keys_t *given, int reason)
{
    errno = 0;
    assert_false(keys_find(&keys, given));
    assert_int_equal(errno, reason);
    assert_string_equal(keys.secret_key, "");
}

static void test_keys__without_any_there_is_no_curve(void **state)
{
    (void)state;
    unsetenv("TOCSIN_KEY");
    assert_true(keys_find(&keys, NULL));
    assert_string_equal(keys.server_key, "");
    setenv("TOCSIN_KEY", "", 1);
    assert_true(keys_find(&keys, NULL));
    assert_string_equal(keys.server_key, "");
}

static void test_keys__the_environment_names_the_file(void **state)
{
    (void)state;
    assert_true(keys_find(&keys, NULL));
    assert_string_equal(keys.public_key, public_key);
    assert_string_equal(keys.secret_key, secret_key);
    assert_string_equal(keys.server_key, server_key);
    keys_forget(&keys);
    assert_string_equal(keys.secret_key, "");
}

static void test_keys__what_is_given_stands_above_the_environment(void **state)
{
    (void)state;
    char other_public[41], other_secret[41];
    zmq_curve_keypair(other_public, other_secret);
    assert_true(keys_find(&keys, &(tocsin_keys_t){other_public, other_secret, server_key}));
    assert_string_equal(keys.secret_key, other_secret);
}

static void test_keys__a_secret_that_others_may_read_is_refused(void **state)
{
    (void)state;
    chmod(path, 0640);
    assert_refused(NULL, EACCES);
    chmod(path, 0604);
    assert_refused(NULL, EACCES);
}

static void test_keys__what_is_no_key_is_refused(void **state)
{
    (void)state;
    assert_refused(&(tocsin_keys_t){public_key, "short", server_key}, EINVAL);
    assert_refused(&(tocsin_keys_t){public_key, secret_key, NULL}, EINVAL);
    assert_refused(&(tocsin_keys_t){public_key,
                                    "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"
                                    "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"
                                    "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80",
                                    server_key},
                   EINVAL);
    write_file("", 0600);
    assert_refused(NULL, EINVAL);
    write_file("secret_key: none\n", 0600);
    assert_refused(NULL, EINVAL);
    setenv("TOCSIN_KEY", "/tmp/tocsin-no-such-file", 1);
    assert_refused(NULL, ENOENT);
    setenv("TOCSIN_KEY", path, 1);
    write_file(text, 0600);
    unsetenv("TOCSIN_SERVER_KEY");
    assert_refused(NULL, EINVAL);
}

static void test_keys__a_connection_has_them(void **state)
{
    (void)state;
    void *context = zmq_ctx_new(), *socket = zmq_socket(context, ZMQ_DEALER);
    char got[41];
    size_t size = sizeof got;
    assert_true(keys_find(&keys, NULL));
    assert_true(keys_apply(&keys, socket));
    assert_int_equal(zmq_getsockopt(socket, ZMQ_CURVE_SERVERKEY, got, &size), 0);
    assert_string_equal(got, server_key);
    zmq_close(socket);
    zmq_ctx_term(context);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_keys__without_any_there_is_no_curve),
        TEST(test_keys__the_environment_names_the_file),
        TEST(test_keys__what_is_given_stands_above_the_environment),
        TEST(test_keys__a_secret_that_others_may_read_is_refused),
        TEST(test_keys__what_is_no_key_is_refused),
        TEST(test_keys__a_connection_has_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
