#include "broker/access_network.h"
#include "tests/check.h"

#include <string.h>

static network_t network;

/*  Lists of rules, divided by spaces. */
static void rule(const char *allow, const char *deny)
{
    static text_t items[2][8];
    texts_t lists[2];
    const char *const texts[] = {allow, deny};
    for (size_t i = 0; i < 2; i++) {
        const char *at = texts[i];
        lists[i] = (texts_t){items[i], 0};
        while (*at != '\0') {
            items[i][lists[i].count++] = (text_t){at, strcspn(at, " ")};
            at += strcspn(at, " ");
            at += *at == ' ';
        }
    }
    size_t wrong;
    network_free(&network);
    assert_true(network_init(&network, lists[0], lists[1], &wrong));
}

static bool permits(const char *address)
{
    return network_permits(&network, address);
}

static void test_access_network__without_rules_nobody_gets_in(void **state)
{
    (void)state;
    rule("", "");
    assert_false(permits("127.0.0.1"));
    assert_false(permits("::1"));
    rule("", "10.0.0.0/8");
    assert_false(permits("11.0.0.1"));
}

static void test_access_network__both_sides_of_each_edge(void **state)
{
    (void)state;
    rule("10.1.0.0/16 192.168.7.128/25 172.16.0.1", "");
    assert_true(permits("10.1.0.0"));
    assert_true(permits("10.1.255.255"));
    assert_false(permits("10.0.255.255"));
    assert_false(permits("10.2.0.0"));
    assert_true(permits("192.168.7.128"));
    assert_false(permits("192.168.7.127"));
    assert_true(permits("172.16.0.1"));
    assert_false(permits("172.16.0.0"));
    assert_false(permits("172.16.0.2"));
}

static void test_access_network__the_most_specific_rule_decides(void **state)
{
    (void)state;
    rule("10.0.0.0/8 10.1.2.3", "10.1.0.0/16");
    assert_true(permits("10.9.0.1"));
    assert_false(permits("10.1.9.9"));
    assert_true(permits("10.1.2.3"));
    rule("10.0.0.0/8", "10.0.0.0/8");
    assert_false(permits("10.0.0.1"));
}

static void test_access_network__ipv4_in_ipv6_clothes_is_ipv4(void **state)
{
    (void)state;
    rule("10.0.0.0/8", "");
    assert_true(permits("::ffff:10.1.2.3"));
    assert_false(permits("::ffff:11.1.2.3"));
    assert_false(permits("::10.1.2.3"));
    rule("::ffff:10.0.0.0/104", "");
    assert_true(permits("10.1.2.3"));
}

static void test_access_network__ipv6_with_and_without_a_zone(void **state)
{
    (void)state;
    rule("fe80::/10 2001:db8::/32", "2001:db8:1::/48");
    assert_true(permits("fe80::1%eth0"));
    assert_true(permits("2001:db8:2::1"));
    assert_false(permits("2001:db8:1::1"));
    assert_false(permits("2001:db9::1"));
    assert_false(permits("10.0.0.1"));
}

static void test_access_network__no_address_is_permitted_that_is_none(void **state)
{
    (void)state;
    rule("0.0.0.0/0 ::/0", "");
    assert_true(permits("1.2.3.4"));
    assert_true(permits("2::"));
    const char *const wrong[] = {"",          "1.2.3",  "1.2.3.4.5", "256.1.1.1", "localhost",
                                 "1.2.3.4/8", "0x7f.1", ":::",       "1.2.3.4 "};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(permits(wrong[i]));
}

static void test_access_network__what_is_no_rule_is_named(void **state)
{
    (void)state;
    const char *const wrong[] = {"",           "10.0.0.0/33", "10.0.0.0/",
                                 "10.0.0.0/x", "::/129",      "10.0.0.0/-1",
                                 "10.0.0/8",   "host",        "10.0.0.0/8x"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const text_t good[] = {TEXT_OF("10.0.0.0/8"), TEXT_OF("::1")};
        const text_t bad[] = {TEXT_OF("10.0.0.1"), text_of(wrong[i])};
        network_t made;
        size_t at = 99;
        assert_false(network_init(&made, (texts_t){good, 2}, (texts_t){bad, 2}, &at));
        assert_int_equal(at, 3);
    }
}

static int clear(void **state)
{
    (void)state;
    network_free(&network);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_access_network__without_rules_nobody_gets_in),
        cmocka_unit_test(test_access_network__both_sides_of_each_edge),
        cmocka_unit_test(test_access_network__the_most_specific_rule_decides),
        cmocka_unit_test(test_access_network__ipv4_in_ipv6_clothes_is_ipv4),
        cmocka_unit_test(test_access_network__ipv6_with_and_without_a_zone),
        cmocka_unit_test(test_access_network__no_address_is_permitted_that_is_none),
        cmocka_unit_test(test_access_network__what_is_no_rule_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, clear);
}
