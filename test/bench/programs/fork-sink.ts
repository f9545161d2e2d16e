let count = 0
process.on('message', message => {
  if (message !== 'end') count++
  else {
    process.send?.(count)
    count = 0
  }
})
