#include "engines/condition_selector.h"

pattern_match_t matcher_takes(const matcher_t *self, text_t value)
{
    bool wants_equal = self->match == MATCH_EQUAL || self->match == MATCH_PATTERN;
    bool equal;
    if (self->pattern == NULL) {
        equal = text_equal(value, self->value);
    } else {
        pattern_match_t match = pattern_matches(self->pattern, value);
        if (match == PATTERN_ERROR)
            return PATTERN_ERROR;
        equal = match == PATTERN_YES;
    }
    return equal == wants_equal ? PATTERN_YES : PATTERN_NO;
}

pattern_match_t selector_takes(const selector_t *self, text_t name, labels_t labels)
{
    if (self->name.data != NULL && !text_equal(self->name, name))
        return PATTERN_NO;
    for (size_t i = 0; i < self->matcher_count; i++) {
        const matcher_t *matcher = &self->matchers[i];
        bool of_name = text_is(matcher->label, "__name__");
        text_t value = of_name ? name : labels_get(labels, matcher->label);
        pattern_match_t match = matcher_takes(matcher, value);
        if (match != PATTERN_YES)
            return match;
    }
    return PATTERN_YES;
}
