int counter = 0;
static int history[64];

int next_value(void) {
  history[counter & 63] = counter;
  return ++counter;
}
