#include "broker/address.h"
#include "tests/check.h"

#include <netdb.h>
#include <string.h>

/*  As curl resolves a host: all the old ways to write an IPv4 address are understood here too. */
static bool is_public(const char *host, const char *port)
{
    struct addrinfo *found = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    if (getaddrinfo(host, port, &hints, &found) != 0)
        fail_msg("%s is no address", host);
    bool answer = address_is_public(found->ai_addr);
    freeaddrinfo(found);
    return answer;
}

static void test_address__nobody_inside_the_house_is_public(void **state)
{
    (void)state;
    static const char *const inside[] = {
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.0.8",
        "192.0.2.1",
        "198.18.0.1",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "255.255.255.255",
        "0x7f.1",
        "2130706433",
        "017700000001",
        "127.1",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "fd12:3456::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.1.2.3",
        "64:ff9b::a00:1",
        "2002:7f00:1::",
        "2001::1",
        "2001:db8::1",
    };
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++)
        if (is_public(inside[i], "443"))
            fail_msg("%s is taken for public", inside[i]);
}

static void test_address__hosts_of_the_internet_are(void **state)
{
    (void)state;
    static const char *const outside[] = {"1.1.1.1",         "9.255.255.255",  "11.0.0.0",
                                          "126.255.255.255", "128.0.0.1",      "172.15.255.255",
                                          "172.32.0.0",      "192.167.1.1",    "192.169.1.1",
                                          "100.63.255.255",  "100.128.0.0",    "223.255.255.255",
                                          "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"};
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
        if (!is_public(outside[i], "443"))
            fail_msg("%s is taken for private", outside[i]);
}

static void test_address__a_port_of_another_service_is_not_public(void **state)
{
    (void)state;
    assert_false(is_public("1.1.1.1", "22"));
    assert_false(is_public("1.1.1.1", "0"));
    assert_false(is_public("1.1.1.1", "1023"));
    assert_true(is_public("1.1.1.1", "25"));
    assert_true(is_public("1.1.1.1", "80"));
    assert_true(is_public("1.1.1.1", "1024"));
    assert_true(is_public("1.1.1.1", "8443"));
}

static void test_address__what_is_no_internet_address_is_not_public(void **state)
{
    (void)state;
    struct sockaddr_storage local = {.ss_family = AF_UNIX};
    assert_false(address_is_public((const struct sockaddr *)&local));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_address__nobody_inside_the_house_is_public),
        cmocka_unit_test(test_address__hosts_of_the_internet_are),
        cmocka_unit_test(test_address__a_port_of_another_service_is_not_public),
        cmocka_unit_test(test_address__what_is_no_internet_address_is_not_public),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
