/* No libc at all: everything is in these two objects. */
static void put(const char *text, unsigned long bytes) {
  __asm__ volatile("syscall" : : "a"(1), "D"(1), "S"(text), "d"(bytes) : "rcx", "r11", "memory");
}

extern int counter;
int next_value(void);

void _start(void) {
  char line[2] = "0\n";
  while (counter < 5) {
    line[0] = (char)('0' + next_value());
    put(line, 2);
  }
  __asm__ volatile("syscall" : : "a"(60), "D"(0));
}
