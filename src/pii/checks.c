// SPDX-License-Identifier: Apache-2.0
/* Check digits of numbers. */
#include "pii/checks.h"

bool check_luhn(const u8 *digits, size_t count)
{
	unsigned sum = 0;
	for (size_t i = 0; i < count; i++) {
		unsigned digit = digits[count - 1 - i];
		if (i % 2)
			digit = digit < 5 ? 2 * digit : 2 * digit - 9;
		sum += digit;
	}
	return count > 0 && sum % 10 == 0;
}

bool check_verhoeff(const u8 *digits, size_t count)
{
	/* The multiplication of the dihedral group D5: rotations are 0 … 4, reflections 5 … 9. And the permutation, of which place i has the i-th power. */
	static const u8 permutation[] = { 1, 5, 7, 6, 2, 8, 3, 0, 9, 4 };
	unsigned check = 0;
	for (size_t i = 0; i < count; i++) {
		unsigned digit = digits[count - 1 - i];
		for (size_t power = i % 8; power > 0; power--)
			digit = permutation[digit];
		unsigned a = check % 5, b = digit % 5;
		unsigned turned = check < 5 ? a + b : a + 5 - b;
		check = turned % 5 + ((check < 5) == (digit < 5) ? 0 : 5);
	}
	return count > 0 && check == 0;
}

bool check_iban(const char *iban, size_t size)
{
	unsigned rest = 0;
	for (size_t i = 0; i < size; i++) {
		char c = iban[(i + 4) % size];
		if (c >= '0' && c <= '9')
			rest = (rest * 10 + (unsigned)(c - '0')) % 97;
		else
			rest = (rest * 100 + (unsigned)(c - 'A') + 10) % 97;
	}
	return size > 4 && rest == 1;
}

unsigned check_weighted(const u8 *digits, const u8 *weights, size_t count, unsigned modulus)
{
	unsigned sum = 0;
	for (size_t i = 0; i < count; i++)
		sum += (unsigned)digits[i] * weights[i];
	return sum % modulus;
}
