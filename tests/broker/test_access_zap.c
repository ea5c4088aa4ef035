#include "broker/access_zap.h"
#include "tests/broker/keys.h"
#include "tests/check.h"

#include <math.h>
#include <string.h>

static pair_t known;
static folder_t folder;
static access_keys_t *keys;
static network_t network;
static char user_id[KEY_TEXT_SIZE];
static uint8_t credentials[32];
static text_t frames[ZAP_FRAMES + 1];

static int set_up(void **state)
{
    (void)state;
    size_t wrong;
    const text_t allow[] = {TEXT_OF("127.0.0.0/8"), TEXT_OF("::1")};
    folder = folder_new();
    known = pair_new();
    folder_put_key(&folder, "a", &known, "admin", "");
    keys = access_keys_load(folder.path, 1e9, stderr);
    assert_true(network_init(&network, (texts_t){allow, 2}, (texts_t){NULL, 0}, &wrong));
    assert_non_null(zmq_z85_decode(credentials, known.public_key));
    const text_t good[ZAP_FRAMES] = {TEXT_OF("1.0"),
                                     TEXT_OF("7"),
                                     TEXT_OF("tocsin"),
                                     TEXT_OF("127.0.0.1"),
                                     TEXT_OF(""),
                                     TEXT_OF("CURVE"),
                                     {(const char *)credentials, sizeof credentials}};
    memcpy(frames, good, sizeof good);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    access_keys_destroy(&keys);
    network_free(&network);
    folder_destroy(&folder);
    return 0;
}

static zap_verdict_t judge(size_t count)
{
    return zap_judge(frames, count, keys, &network, user_id);
}

static void test_access_zap__a_known_key_comes_in_under_its_own_name(void **state)
{
    (void)state;
    assert_int_equal(judge(ZAP_FRAMES), ZAP_WELCOME);
    assert_string_equal(user_id, known.public_key);
}

static void test_access_zap__every_wrong_frame_is_refused_by_its_reason(void **state)
{
    (void)state;
    static const struct {
        size_t frame;
        const char *text;
        zap_verdict_t verdict;
    } cases[] = {
        {0, "1.1", ZAP_MALFORMED},
        {0, "", ZAP_MALFORMED},
        {2, "", ZAP_DOMAIN_UNKNOWN},
        {2, "global", ZAP_DOMAIN_UNKNOWN},
        {3, "10.0.0.1", ZAP_ADDRESS_REFUSED},
        {3, "nonsense", ZAP_ADDRESS_REFUSED},
        {5, "NULL", ZAP_MECHANISM_REFUSED},
        {5, "PLAIN", ZAP_MECHANISM_REFUSED},
        {5, "curve", ZAP_MECHANISM_REFUSED},
        {6, "too short", ZAP_MALFORMED},
        {6, "01234567890123456789012345678901", ZAP_KEY_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        text_t kept = frames[cases[i].frame];
        frames[cases[i].frame] = text_of(cases[i].text);
        assert_int_equal(judge(ZAP_FRAMES), cases[i].verdict);
        assert_string_equal(user_id, "");
        assert_string_not_equal(zap_verdict_code(cases[i].verdict), "200");
        frames[cases[i].frame] = kept;
    }
    assert_int_equal(judge(ZAP_FRAMES), ZAP_WELCOME);
}

static void test_access_zap__too_few_and_too_many_frames_are_malformed(void **state)
{
    (void)state;
    for (size_t count = 0; count <= ZAP_FRAMES + 1; count++)
        if (count != ZAP_FRAMES)
            assert_int_equal(judge(count), ZAP_MALFORMED);
}

static void test_access_zap__an_address_without_an_end_is_refused(void **state)
{
    (void)state;
    char text[1000];
    memset(text, '1', sizeof text);
    frames[3] = (text_t){text, sizeof text};
    assert_int_equal(judge(ZAP_FRAMES), ZAP_ADDRESS_REFUSED);
}

static void test_access_zap__peers_of_a_local_socket_need_a_key_and_no_address(void **state)
{
    (void)state;
    frames[3] = TEXT_OF("");
    assert_int_equal(judge(ZAP_FRAMES), ZAP_WELCOME);
    frames[3] = TEXT_OF(":1000:1000:4711");
    assert_int_equal(judge(ZAP_FRAMES), ZAP_WELCOME);
    frames[3] = TEXT_OF("::2");
    assert_int_equal(judge(ZAP_FRAMES), ZAP_ADDRESS_REFUSED);
    frames[3] = TEXT_OF("");
    frames[6] = TEXT_OF("01234567890123456789012345678901");
    assert_int_equal(judge(ZAP_FRAMES), ZAP_KEY_UNKNOWN);
}

static void
test_access_zap__while_the_directory_is_not_there_clients_are_told_to_try_again(void **state)
{
    (void)state;
    access_keys_destroy(&keys);
    FILE *nowhere = fopen("/dev/null", "w");
    keys = access_keys_load("/tmp/tocsin-no-such-directory", 1e9, nowhere);
    fclose(nowhere);
    assert_int_equal(judge(ZAP_FRAMES), ZAP_UNAVAILABLE);
    assert_string_equal(zap_verdict_code(ZAP_UNAVAILABLE), "300");
    assert_string_equal(user_id, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_access_zap__a_known_key_comes_in_under_its_own_name),
        TEST(test_access_zap__every_wrong_frame_is_refused_by_its_reason),
        TEST(test_access_zap__too_few_and_too_many_frames_are_malformed),
        TEST(test_access_zap__an_address_without_an_end_is_refused),
        TEST(test_access_zap__while_the_directory_is_not_there_clients_are_told_to_try_again),
        TEST(test_access_zap__peers_of_a_local_socket_need_a_key_and_no_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
