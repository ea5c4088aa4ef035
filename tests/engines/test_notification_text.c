#include "engines/operations/notification_text.h"
#include "tests/check.h"

static text_t look(void *context, text_t field)
{
    (void)context;
    if (text_is(field, "alertname"))
        return TEXT_OF("cpu");
    if (text_is(field, "message"))
        return TEXT_OF("two\nlines");
    return text_is(field, "empty") ? TEXT_OF("") : TEXT_NONE;
}

static const field_source_t source = {look, NULL};

static void test_notification_text__fields_take_their_values(void **state)
{
    (void)state;
    char buffer[64];
    notification_text_t text = {buffer, 0, sizeof buffer, false};
    assert_true(notification_text_expand(&text, TEXT_OF("${alertname}: $5 {x} ${empty}."), source));
    assert_text(notification_text(&text), "cpu: $5 {x} .");
}

static void test_notification_text__an_unknown_field_spoils_the_whole(void **state)
{
    (void)state;
    char buffer[64];
    notification_text_t text = {buffer, 0, sizeof buffer, false};
    notification_text_add(&text, TEXT_OF("> "));
    assert_false(notification_text_expand(&text, TEXT_OF("a ${alertname} ${nobody}"), source));
    assert_false(notification_text_expand(&text, TEXT_OF("a ${alertname"), source));
    assert_false(notification_text_expand(&text, TEXT_OF("a ${}"), source));
    assert_text(notification_text(&text), "> ");
}

static void test_notification_text__what_does_not_fit_is_cut_between_characters(void **state)
{
    (void)state;
    char buffer[8];
    notification_text_t text = {buffer, 0, sizeof buffer, false};
    notification_text_add(&text, TEXT_OF("1234"));
    assert_false(text.cut);
    notification_text_add(&text, TEXT_OF("éé"));
    assert_true(text.cut);
    notification_text_add(&text, TEXT_OF("x"));
    assert_text(notification_text(&text), "1234…");
}

static void test_notification_text__a_line_has_no_line_breaks(void **state)
{
    (void)state;
    char buffer[64];
    notification_text_t text = {buffer, 0, sizeof buffer, false};
    notification_text_add_line(&text, TEXT_OF("a\r\nBcc: all\t\x7f!"));
    assert_text(notification_text(&text), "a  Bcc: all  !");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_notification_text__fields_take_their_values),
        cmocka_unit_test(test_notification_text__an_unknown_field_spoils_the_whole),
        cmocka_unit_test(test_notification_text__what_does_not_fit_is_cut_between_characters),
        cmocka_unit_test(test_notification_text__a_line_has_no_line_breaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
