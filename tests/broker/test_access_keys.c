#include "broker/access_keys.h"
#include "tests/broker/keys.h"
#include "tests/check.h"

#include <string.h>
#include <sys/resource.h>

#define NOW 1700000000.0

static folder_t folder;
static char complaints[4096];

static access_keys_t *load_at(double now_s)
{
    memset(complaints, 0, sizeof complaints);
    FILE *stream = fmemopen(complaints, sizeof complaints - 1, "w");
    access_keys_t *keys = access_keys_load(folder.path, now_s, stream);
    fclose(stream);
    return keys;
}

/*  How many keys are in force; what is wrong must be said with these words ("" : nothing is). */
static void expect(size_t count, const char *words)
{
    access_keys_t *keys = load_at(NOW);
    if (keys->count != count)
        fail_msg("%zu keys, expected %zu: %s", keys->count, count, complaints);
    if (words[0] == '\0' ? complaints[0] != '\0' : strstr(complaints, words) == NULL)
        fail_msg("expected \"%s\" in \"%s\"", words, complaints);
    access_keys_destroy(&keys);
}

static int set_up(void **state)
{
    (void)state;
    folder = folder_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    folder_destroy(&folder);
    return 0;
}

static void test_access_keys__a_key_is_read_with_all_it_says(void **state)
{
    (void)state;
    pair_t pair = pair_new();
    folder_put_key(&folder, "orders-1", &pair, "producer",
                   "write: [orders_, shop_]\nread: [alert.]\nexpires: 1700000009\n");
    access_keys_t *keys = load_at(NOW);
    assert_true(keys->trusted);
    const access_key_t *key = access_keys_find(keys, pair.public_key);
    assert_non_null(key);
    assert_text(key->name, "orders-1");
    assert_int_equal(key->role, ROLE_PRODUCER);
    assert_int_equal(key->write.count, 2);
    assert_text(key->write.items[1], "shop_");
    assert_text(key->read.items[0], "alert.");
    assert_double(keys->next_change_s, 1700000009, 0);
    assert_null(access_keys_find(keys, NULL));
    assert_null(access_keys_find(keys, ""));
    access_keys_destroy(&keys);
}

static void test_access_keys__each_of_many_is_found_by_its_own_key(void **state)
{
    (void)state;
    pair_t pairs[20];
    for (size_t i = 0; i < 20; i++) {
        char name[16];
        snprintf(name, sizeof name, "k%zu", i);
        pairs[i] = pair_new();
        folder_put_key(&folder, name, &pairs[i], "admin", "");
    }
    access_keys_t *keys = load_at(NOW);
    for (size_t i = 0; i < 20; i++) {
        char name[16];
        snprintf(name, sizeof name, "k%zu", i);
        assert_text(access_keys_find(keys, pairs[i].public_key)->name, name);
    }
    access_keys_destroy(&keys);
}

static void test_access_keys__an_empty_directory_lets_nobody_in(void **state)
{
    (void)state;
    pair_t pair = pair_new();
    access_keys_t *keys = load_at(NOW);
    assert_true(keys->trusted);
    assert_null(access_keys_find(keys, pair.public_key));
    access_keys_destroy(&keys);
}

static void test_access_keys__a_directory_that_is_not_there_lets_nobody_in(void **state)
{
    (void)state;
    rmdir(folder.path);
    access_keys_t *keys = load_at(NOW);
    assert_false(keys->trusted);
    assert_int_equal(keys->count, 0);
    assert_non_null(strstr(complaints, "No such file"));
    access_keys_destroy(&keys);
}

static void test_access_keys__a_directory_that_others_may_write_lets_nobody_in(void **state)
{
    (void)state;
    pair_t pair = pair_new();
    folder_put_key(&folder, "a", &pair, "admin", "");
    chmod(folder.path, 0770);
    access_keys_t *keys = load_at(NOW);
    assert_false(keys->trusted);
    assert_int_equal(keys->count, 0);
    access_keys_destroy(&keys);
    chmod(folder.path, 0700);
    expect(1, "");
}

static void test_access_keys__a_wrong_file_is_refused_alone_and_named(void **state)
{
    (void)state;
    pair_t pair = pair_new();
    folder_put_key(&folder, "good", &pair, "admin", "");
    const char *const wrong[][2] = {
        {"", "is empty"},
        {"name: a\n", "role: is required"},
        {"name: a\nrole: admin\npublic_key: short\n", "40 characters of Z85"},
        {"name: a\nrole: admin\npublic_key: "
         "'~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~'\n",
         "40 characters of Z85"},
        {"name: a\nrole: root\npublic_key: x\n", "expected one of producer"},
        {"name: a\nrole: admin\npublic_key: x\nextra: 1\n", "unknown key"},
        {"a: [", "wrong.yaml:"},
        {"a: &x 1\nb: *x\n", "aliases"},
        {"7\n", "wrong.yaml:1:1:"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        folder_write(&folder, "wrong.yaml", wrong[i][0], 0644);
        expect(1, wrong[i][1]);
        assert_non_null(strstr(complaints, "wrong.yaml"));
    }
}

static void test_access_keys__a_file_that_others_may_write_is_refused(void **state)
{
    (void)state;
    pair_t pair = pair_new();
    char path[256];
    folder_put_key(&folder, "a", &pair, "admin", "");
    expect(1, "");
    snprintf(path, sizeof path, "%s/a.yaml", folder.path);
    chmod(path, 0664);
    expect(0, "others may write it");
    chmod(path, 0646);
    expect(0, "others may write it");
}

static void test_access_keys__a_file_of_another_user_is_refused(void **state)
{
    (void)state;
    pair_t pair = pair_new();
    char path[256];
    folder_put_key(&folder, "a", &pair, "admin", "");
    snprintf(path, sizeof path, "%s/a.yaml", folder.path);
    if (chown(path, 12345, 12345) != 0)
        skip(); /* only root can give a file away */
    expect(0, "belongs to another user");
}

static void test_access_keys__what_is_no_regular_file_is_refused(void **state)
{
    (void)state;
    char path[256];
    snprintf(path, sizeof path, "%s/fifo.yaml", folder.path);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect(0, "no regular file");
}

static void test_access_keys__a_file_that_is_too_large_is_refused(void **state)
{
    (void)state;
    char *text = malloc(KEY_FILE_BYTES + 2);
    memset(text, '#', KEY_FILE_BYTES + 1);
    text[KEY_FILE_BYTES + 1] = '\0';
    folder_write(&folder, "large.yaml", text, 0644);
    free(text);
    expect(0, "is too large");
}

static void test_access_keys__other_files_are_not_looked_at(void **state)
{
    (void)state;
    folder_write(&folder, "README", "hello", 0644);
    folder_write(&folder, ".hidden.yaml", "hello", 0644);
    folder_write(&folder, ".yaml", "hello", 0644);
    expect(0, "");
}

static void test_access_keys__of_two_files_with_one_key_the_first_by_name_counts(void **state)
{
    (void)state;
    pair_t pair = pair_new();
    folder_put_key(&folder, "b", &pair, "admin", "");
    folder_put_key(&folder, "a", &pair, "subscriber", "");
    access_keys_t *keys = load_at(NOW);
    assert_int_equal(keys->count, 1);
    assert_int_equal(access_keys_find(keys, pair.public_key)->role, ROLE_SUBSCRIBER);
    assert_non_null(strstr(complaints, "b.yaml: public_key: stands in another file"));
    access_keys_destroy(&keys);
}

static void test_access_keys__a_key_is_in_force_from_its_beginning_up_to_its_end(void **state)
{
    (void)state;
    pair_t pair = pair_new();
    folder_put_key(&folder, "a", &pair, "admin", "not_before: 1000\nexpires: 2000\n");
    const struct {
        double now_s, next;
        bool in_force;
    } cases[] = {
        {999, 1000, false}, {1000, 2000, true}, {1999, 2000, true}, {2000, INFINITY, false}};
    for (size_t i = 0; i < 4; i++) {
        access_keys_t *keys = load_at(cases[i].now_s);
        assert_int_equal(access_keys_find(keys, pair.public_key) != NULL, cases[i].in_force);
        assert_true(keys->next_change_s == cases[i].next);
        access_keys_destroy(&keys);
    }
}

static void test_access_keys__two_keys_may_be_one_principal(void **state)
{
    (void)state;
    pair_t old = pair_new(), new = pair_new();
    char text[256];
    folder_put_key(&folder, "web", &old, "producer", "expires: 1700000100\n");
    snprintf(text, sizeof text, "name: web\nrole: producer\npublic_key: \"%s\"\n", new.public_key);
    folder_write(&folder, "web-2.yaml", text, 0644);
    access_keys_t *keys = load_at(NOW);
    assert_text(access_keys_find(keys, old.public_key)->name, "web");
    assert_text(access_keys_find(keys, new.public_key)->name, "web");
    access_keys_destroy(&keys);
}

/*  What a change of the one key in the directory is: nothing, an addition, or something taken. */
static void compare(const char *before, const char *after, bool equal, bool taken)
{
    folder_write(&folder, "a.yaml", before, 0644);
    access_keys_t *old = load_at(NOW);
    folder_write(&folder, "a.yaml", after, 0644);
    access_keys_t *new = load_at(NOW);
    assert_int_equal(access_keys_equal(old, new), equal);
    assert_int_equal(access_keys_take_away(old, new, "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"),
                     taken);
    assert_false(access_keys_take_away(old, new, NULL));
    access_keys_destroy(&old);
    access_keys_destroy(&new);
}

static void test_access_keys__what_is_taken_away_is_seen_by_content(void **state)
{
    (void)state;
#define KEY "public_key: \"Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID\"\n"
    const char *key = "name: a\nrole: admin\nread: [a]\n" KEY;
    compare(key, key, true, false);
    compare(key, "name: a\nrole: admin\nread: [b]\n" KEY, false, true); /* the same size */
    compare(key, "name: a\nrole: operator\nread: [a]\n" KEY, false, true);
    compare(key, "name: b\nrole: admin\nread: [a]\n" KEY, false, true);
    compare(key, "", false, true);
    compare("", key, false, false);
    compare(key, "role: admin\nname: a\nread: [a]\n" KEY, true, false);
}

static void test_access_keys__without_descriptors_it_is_said_that_nothing_was_learned(void **state)
{
    (void)state;
    pair_t pair = pair_new();
    struct rlimit usual, none;
    folder_put_key(&folder, "a", &pair, "admin", "");
    access_keys_t *keys = load_at(NOW);
    assert_true(keys->complete);
    access_keys_destroy(&keys);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
    for (rlim_t files = 0; files < 5;
         files++) { /* none for the directory; one, but none for a file */
        none = (struct rlimit){files, usual.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
        keys = load_at(NOW);
        assert_true(keys->complete == (keys->count == 1));
        access_keys_destroy(&keys);
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
}

static bool load_secret(const char *text, mode_t mode, char secret[KEY_TEXT_SIZE])
{
    char path[256];
    folder_write(&folder, "server.secret", text, mode);
    snprintf(path, sizeof path, "%s/server.secret", folder.path);
    memset(complaints, 0, sizeof complaints);
    FILE *stream = fmemopen(complaints, sizeof complaints - 1, "w");
    bool good = access_secret_load(path, secret, stream);
    fclose(stream);
    return good;
}

static void test_access_keys__a_secret_is_read_only_when_nobody_else_may(void **state)
{
    (void)state;
    pair_t pair = pair_new();
    char text[128], secret[KEY_TEXT_SIZE];
    snprintf(text, sizeof text, "secret_key: \"%s\"\n", pair.secret_key);
    assert_true(load_secret(text, 0600, secret));
    assert_string_equal(secret, pair.secret_key);
    assert_true(load_secret(text, 0400, secret));
    assert_false(load_secret(text, 0640, secret));
    assert_non_null(strstr(complaints, "others may read it"));
    assert_false(load_secret(text, 0604, secret));
    assert_false(load_secret("secret_key: none\n", 0600, secret));
    assert_null(strstr(complaints, "none"));
    assert_false(load_secret("", 0600, secret));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_access_keys__a_key_is_read_with_all_it_says),
        TEST(test_access_keys__each_of_many_is_found_by_its_own_key),
        TEST(test_access_keys__an_empty_directory_lets_nobody_in),
        TEST(test_access_keys__a_directory_that_is_not_there_lets_nobody_in),
        TEST(test_access_keys__a_directory_that_others_may_write_lets_nobody_in),
        TEST(test_access_keys__a_wrong_file_is_refused_alone_and_named),
        TEST(test_access_keys__a_file_that_others_may_write_is_refused),
        TEST(test_access_keys__a_file_of_another_user_is_refused),
        TEST(test_access_keys__what_is_no_regular_file_is_refused),
        TEST(test_access_keys__a_file_that_is_too_large_is_refused),
        TEST(test_access_keys__other_files_are_not_looked_at),
        TEST(test_access_keys__of_two_files_with_one_key_the_first_by_name_counts),
        TEST(test_access_keys__a_key_is_in_force_from_its_beginning_up_to_its_end),
        TEST(test_access_keys__two_keys_may_be_one_principal),
        TEST(test_access_keys__what_is_taken_away_is_seen_by_content),
        TEST(test_access_keys__without_descriptors_it_is_said_that_nothing_was_learned),
        TEST(test_access_keys__a_secret_is_read_only_when_nobody_else_may),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
